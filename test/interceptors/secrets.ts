import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type Account, AccountSchema } from "./gen/connectum/guarded/v1/guarded_pb.js";

/** An account with a secret in every place a field can be. Secrets say so; owners may be seen. */
export function accountWithSecrets(): Account {
  const secrets = {
    password: "SECRET",
    pin: 424242n,
    key: Buffer.from("SECRET"),
    codes: ["SECRET"],
    answers: { SECRET: "SECRET" },
    vault: { owner: "SECRET" },
    nickname: "SECRET",
  };
  const account = (owner: string) => create(AccountSchema, { ...secrets, owner });
  const phone = create(AccountSchema, {
    ...secrets,
    owner: "owner of a phone",
    contact: { case: "phone", value: "SECRET" },
  });
  return create(AccountSchema, {
    ...secrets,
    owner: "owner",
    parent: account("owner of the parent"),
    children: [account("owner of a child"), phone],
    partners: { partner: account("owner in a map") },
    contact: { case: "deputy", value: account("owner of the deputy") },
    extra: anyPack(AccountSchema, account("owner in an Any")),
  });
}
