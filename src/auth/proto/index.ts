export {
  type AuthRequirements,
  AuthRequirementsSchema,
  file_connectum_auth_v1_options,
  type MethodAuth,
  MethodAuthSchema,
  method_auth,
  type ServiceAuth,
  ServiceAuthSchema,
  service_auth,
} from "../gen/connectum/auth/v1/options_pb.js";
