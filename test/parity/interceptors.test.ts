import { describe } from "node:test";
import { Code, ConnectError, createContextKey, type Interceptor } from "@connectrpc/connect";
import type { OnceRequest } from "../gen/connectum/script/v1/script_pb.js";
import { drain, own, recording, shown } from "./outcome.ts";
import { parity } from "./parity.ts";

describe("interceptors do the same everywhere", () => {
  parity("order, and what they see", (log) => {
    const named = (name: string): Interceptor => {
      return (next) => async (request) => {
        log([name, "in", request.method.name, request.stream, own(request.header)]);
        request.header.append("x-by", name);
        const response = await next(request);
        log([name, "out", own(response.header), own(response.trailer)]);
        response.header.append("x-out", name);
        return response;
      };
    };
    return {
      interceptors: [named("outer"), named("inner")],
      service: {
        once(request, { requestHeader, responseHeader, responseTrailer }) {
          log(own(requestHeader));
          responseHeader.set("x-h", "1");
          responseTrailer.set("x-t", "2");
          return { content: request.content };
        },
      },
      async call(client) {
        const { answer, options } = recording();
        await client.once({}, { headers: { "x-sent": "1" }, ...options });
        return answer;
      },
    };
  });

  parity("messages changed both ways", () => ({
    interceptors: [
      (next) => async (request) => {
        if (!request.stream) (request.message as OnceRequest).content = { text: "in" } as never;
        const response = await next(request);
        if (response.stream) return response;
        const { content } = response.message as OnceRequest;
        return { ...response, message: { ...response.message, content } };
      },
    ],
    service: { once: ({ content }) => ({ content: { text: `${content?.text} out` } }) },
    call: async (client) => shown(await client.once({ content: { text: "sent" } })),
  }));

  parity("a stream's messages changed on their way out", () => ({
    interceptors: [
      (next) => async (request) => {
        const response = await next(request);
        if (!response.stream) return response;
        const { message } = response;
        async function* twice() {
          for await (const item of message) {
            yield item;
            yield item;
          }
        }
        return { ...response, message: twice() as typeof message };
      },
    ],
    service: {
      async *download() {
        yield { content: { text: "a" } };
        yield { content: { text: "b" } };
      },
    },
    call: (client) => drain(client.download({})),
  }));

  const throwers: Record<string, () => unknown> = {
    "a ConnectError": () => new ConnectError("no", Code.Aborted, { "x-why": "rule" }),
    "a plain Error": () => new Error("secret"),
    "a string": () => "secret",
  };
  for (const [name, create] of Object.entries(throwers)) {
    parity(`one that throws ${name} instead of going on`, (log) => ({
      isCutShort: true,
      interceptors: [
        () => () => {
          throw create();
        },
      ],
      service: {
        once() {
          log("handled");
          return {};
        },
      },
      call: async (client) => [await drain(client.download({})), await client.once({})],
    }));

    parity(`one that throws ${name} after the handler`, () => ({
      interceptors: [
        (next) => async (request) => {
          await next(request);
          throw create();
        },
      ],
      service: {
        once(_, { responseHeader }) {
          responseHeader.set("x-h", "1");
          return {};
        },
      },
      call: (client) => client.once({}),
    }));
  }

  parity("the handler's own error, before the client may not see it", (log) => ({
    interceptors: [
      (next) => async (request) => {
        try {
          return await next(request);
        } catch (error) {
          log(String(error));
          throw new ConnectError("mapped", Code.Unavailable);
        }
      },
    ],
    service: {
      once() {
        throw new Error("the real reason");
      },
    },
    call: (client) => client.once({}),
  }));

  parity("context values from one to the handler", (log) => {
    const user = createContextKey("nobody");
    return {
      interceptors: [
        (next) => (request) => {
          request.contextValues.set(user, "ada");
          return next(request);
        },
      ],
      service: {
        once(_, { values }) {
          log(values.get(user));
          return {};
        },
      },
      call: async (client) => void (await client.once({})),
    };
  });

  parity("context values of the caller stay with the caller", (log) => {
    const user = createContextKey("nobody");
    return {
      service: {
        once(_, { values }) {
          log(values.get(user));
          return {};
        },
      },
      call: async (client) => {
        const { createContextValues } = await import("@connectrpc/connect");
        await client.once({}, { contextValues: createContextValues().set(user, "eve") });
      },
    };
  });

  parity("an answer without calling the handler", (log) => ({
    interceptors: [
      () => async (request) => {
        log(request.method.name);
        const { create } = await import("@bufbuild/protobuf");
        return {
          stream: false,
          service: request.service,
          method: request.method,
          header: new Headers({ "x-cached": "1" }),
          trailer: new Headers(),
          message: create(request.method.output, { content: { text: "cached" } } as never),
        } as never;
      },
    ],
    async call(client) {
      const { answer, options } = recording();
      return [shown(await client.once({}, options)), answer];
    },
  }));
});
