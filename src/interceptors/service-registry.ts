import { createRegistry, type DescFile, type DescService, type Registry } from "@bufbuild/protobuf";

/** Every type in the files of these services and in what they import. */
export function registryOf(services: readonly DescService[]): Registry {
  const files = new Set<DescFile>();
  const visit = (file: DescFile) => {
    if (files.has(file)) return;
    files.add(file);
    for (const dependency of file.dependencies) visit(dependency);
  };
  for (const { file } of services) visit(file);
  return createRegistry(...files);
}
