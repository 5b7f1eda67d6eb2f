import { create, setExtension } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { defineService } from "connectum/core";
import {
  AuditService,
  CatalogService,
  Color,
  Item_PartSchema,
} from "../gen/connectum/test/v1/catalog_pb.js";
import { annotation, ModernSchema } from "../gen/connectum/test/v1/editions_pb.js";
import { LegacySchema, nickname } from "../gen/connectum/test/v1/legacy_pb.js";

const part = create(Item_PartSchema, { name: "bolt" });
const legacy = create(LegacySchema, { name: "old", entry: [{ key: "k" }] });
setExtension(legacy, nickname, "nick");
const modern = create(ModernSchema, { id: "m", delimited: { name: "inner" } });
setExtension(modern, annotation, "noted");

/** Services of all four kinds, over messages of every syntax. */
export const catalog = [
  defineService(CatalogService, {
    getItem: ({ id }) => ({
      item: { id, color: Color.RED, parts: { a: part }, details: [anyPack(Item_PartSchema, part)] },
      legacy,
      modern,
    }),
    async *listItems({ limit }) {
      for (let index = 1; index <= limit; index++) yield { item: { id: `item ${index}` } };
    },
    async addItems(requests) {
      let count = 0;
      for await (const _ of requests) count++;
      return { count };
    },
    async *watchItems(requests) {
      for await (const { id } of requests) yield { id };
    },
  }),
  defineService(AuditService, { audit: () => ({}) }),
];
