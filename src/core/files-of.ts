import type { DescFile, DescService } from "@bufbuild/protobuf";

/** The files of the services and all they import, each once, imports first. */
export function filesOf(services: readonly DescService[]): DescFile[] {
  const files = new Set<DescFile>();
  const visit = (file: DescFile) => {
    if (files.has(file)) return;
    for (const dependency of file.dependencies) visit(dependency);
    files.add(file);
  };
  for (const service of services) visit(service.file);
  return [...files];
}
