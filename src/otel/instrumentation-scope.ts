/** Under which name tracers and meters of this package are known; the version is the package's. */
export const instrumentationScope = { name: "connectum/otel", version: "0.1.0" } as const;
