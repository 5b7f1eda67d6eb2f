export { GreeterService } from "../../../gen/connectum/mission/v1/mission_pb.js";
