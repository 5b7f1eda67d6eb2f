import { ownManifest } from "../own-package.ts";
import { deployFiles } from "./deploy-files.ts";
import type { Names } from "./names.ts";
import { type Files, PACKAGE, serviceFiles } from "./service-files.ts";
import { thirdPartyFiles } from "./third-party-files.ts";

export interface ProjectOptions {
  readonly names: Names;
  readonly template: "minimal" | "full";
  /** What package.json asks npm for. */
  readonly connectum: string;
}

/** Every file of a new project by its path. */
export async function projectFiles(options: ProjectOptions): Promise<Files> {
  const { names, template } = options;
  const full = template === "full";
  const auth = full && "./auth/proto" in ownManifest().exports;
  return {
    "package.json": packageJson(options),
    "tsconfig.json": json({
      compilerOptions: {
        module: "nodenext",
        target: "es2022",
        lib: ["es2023"],
        strict: true,
        noUncheckedIndexedAccess: true,
        verbatimModuleSyntax: true,
        erasableSyntaxOnly: true,
        allowImportingTsExtensions: true,
        skipLibCheck: true,
        types: ["node"],
        noEmit: true,
      },
      include: ["src", "test"],
    }),
    "tsconfig.build.json": json({
      extends: "./tsconfig.json",
      compilerOptions: {
        noEmit: false,
        rootDir: "src",
        outDir: "dist",
        sourceMap: true,
        allowImportingTsExtensions: false,
        rewriteRelativeImportExtensions: true,
      },
      include: ["src"],
    }),
    "buf.yaml": BUF_YAML,
    "buf.gen.yaml": BUF_GEN_YAML,
    ".gitignore": "node_modules/\ndist/\ngen/\n",
    "README.md": readme(names, auth),
    "src/server.ts": server(names, { full, auth }),
    ...(auth ? { "src/auth.ts": AUTH } : {}),
    "src/services/index.ts": servicesIndex(names),
    ...serviceFiles(names, { full, auth }),
    ...deployFiles(names),
    ...(await thirdPartyFiles({ auth })),
  };
}

function packageJson({ names, connectum }: ProjectOptions): string {
  const { devDependencies: versions, engines } = ownManifest();
  const pick = (...packages: string[]) =>
    Object.fromEntries(packages.map((name) => [name, versions[name] ?? "*"]));
  return json({
    name: names.npm,
    version: "0.1.0",
    private: true,
    type: "module",
    engines,
    imports: { "#gen/*": "./gen/*" },
    scripts: {
      generate: "connectum generate",
      build: "npm run generate && tsc --project tsconfig.build.json",
      dev: "connectum dev",
      test: "npm run generate && tsc && node --import tsx --test test/*.test.ts",
      prestart: "npm run build",
      start: "node --enable-source-maps dist/server.js",
    },
    dependencies: {
      ...pick("@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-node"),
      connectum,
    },
    devDependencies: pick(
      "@bufbuild/buf",
      "@bufbuild/protoc-gen-es",
      "@types/node",
      "tsx",
      "typescript",
    ),
  });
}

const BUF_YAML = `version: v2
modules:
  - path: proto
  # Schemas of others that ours import.
  - path: third_party
lint:
  use:
    - STANDARD
  ignore:
    - third_party
breaking:
  use:
    - FILE
  ignore:
    - third_party
`;

const BUF_GEN_YAML = `version: v2
clean: true
inputs:
  - directory: .
plugins:
  - local: protoc-gen-es
    out: gen
    opt:
      - target=js+dts
      - import_extension=js
`;

function server(names: Names, { full, auth }: { full: boolean; auth: boolean }): string {
  const chain = `createDefaultInterceptors(${full ? `{ logger: true${auth ? ", auth" : ""} }` : ""})`;
  return `import { pathToFileURL } from "node:url";
import { createServer, type Server } from "${PACKAGE}/core";
import { parseEnvConfig, serverOptionsFromEnv } from "${PACKAGE}/core/config";
import { Healthcheck } from "${PACKAGE}/healthcheck";
import { createDefaultInterceptors } from "${PACKAGE}/interceptors";
import { Reflection } from "${PACKAGE}/reflection";
${auth ? 'import { auth } from "./auth.ts";\n' : ""}import { services } from "./services/index.ts";

/** The server, not started. Tests and the connectum command start it themselves. */
export function buildServer(): Server {
  const env = parseEnvConfig();
  const options = serverOptionsFromEnv(env);
  return createServer({
    ...options,
    services,
    protocols: [Healthcheck({ httpEnabled: true }), Reflection()],
    interceptors: ${chain},
    // Load balancers need a moment to notice that this server leaves.
    shutdown: {
      ...options.shutdown,
      drainDelayMs: env.NODE_ENV === "production" ? 5_000 : 0,
    },
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const server = buildServer();
  await server.start();
  const { address } = server;
  const port = typeof address === "object" ? address?.port : address;
  console.log(\`${names.npm} listens on http://localhost:\${port}. Call it from another terminal:\`);
  console.log(
    \`  npx connectum call localhost:\${port} ${names.service}/SayHello -d '{"name":"Ada"}'\`,
  );
}
`;
}

const AUTH = `import type { Interceptor } from "@connectrpc/connect";
import {
  createJwtAuthInterceptor,
  createProtoAuthzInterceptor,
  getPublicMethods,
} from "${PACKAGE}/auth";
import { services } from "./services/index.ts";

const { AUTH_JWKS_URI, AUTH_ISSUER, AUTH_AUDIENCE } = process.env;

/** The schema says which methods need what; see \`npx connectum auth explain\`. */
export const auth: Interceptor[] = [createProtoAuthzInterceptor()];

// Without an issuer there are no identities: public methods are served, all others refused.
if (AUTH_JWKS_URI !== undefined) {
  auth.unshift(
    createJwtAuthInterceptor({
      jwksUri: AUTH_JWKS_URI,
      issuer: AUTH_ISSUER,
      audience: AUTH_AUDIENCE,
      skipMethods: [
        "grpc.health.v1.Health/*",
        "grpc.reflection.*",
        ...getPublicMethods(services.map(({ descriptor }) => descriptor)),
      ],
    }),
  );
}
`;

function servicesIndex(names: Names): string {
  return `import { ${names.camel} } from "./${names.kebab}.ts";

/** What the server serves. \`connectum add service\` adds to it. */
export const services = [${names.camel}];
`;
}

function readme(names: Names, auth: boolean): string {
  const authVariables = auth
    ? "\nTokens are verified with the keys at `AUTH_JWKS_URI`, for `AUTH_ISSUER` and `AUTH_AUDIENCE`.\n"
    : "";
  return `# ${names.npm}

A [connectum](https://www.npmjs.com/package/connectum) service: gRPC, gRPC-Web and Connect on one port.

| command | does |
|---|---|
| \`npm run dev\` | runs the service and restarts it on every change of code or schema |
| \`npm test\` | generates code from \`proto/\`, checks types, runs the tests |
| \`npm start\` | builds and runs it as in production |
| \`npx connectum call localhost:5000 ${names.service}/SayHello -d '{"name":"Ada"}'\` | calls it |
| \`npx connectum add service Orders\` | adds another service |
| \`npx connectum test src/server.ts\` | tests that it is fit for production: health, reflection, drain |
| \`npx connectum doctor\` | looks for what is wrong with this project |

\`proto/\` is the schema, \`src/services/\` the handlers, \`src/server.ts\` puts them together. \`gen/\` is
made from the schema and not committed. \`third_party/\` has schemas of others that ours import.

Configuration comes from the environment: \`PORT\` (5000), \`LISTEN\` (0.0.0.0), \`NODE_ENV\`,
\`TLS_DIR_PATH\`, \`GRACEFUL_SHUTDOWN_TIMEOUT_MS\` (30000).
${authVariables}
\`docker build -t ${names.kebab} .\` makes an image; \`kubectl apply -f k8s/\` runs it on Kubernetes.
`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
