import type { Logger } from "../../core/index.ts";

interface ExportOutcome {
  readonly code: number;
  readonly error?: Error;
}

interface Exporter {
  export(items: never, callback: (outcome: ExportOutcome) => void): void;
}

/**
 * Lets the exporter tell when it begins to fail and when it works again. A collector that is away
 * for an hour makes two lines, not one for each batch.
 */
export function reportFailures<E extends Exporter>(exporter: E, what: string, logger: Logger): E {
  const send = exporter.export.bind(exporter);
  let failures = 0;
  exporter.export = (items, callback) => {
    send(items, (outcome) => {
      if (outcome.code !== 0) {
        failures += 1;
        if (failures === 1) {
          const hint = `${what} cannot be exported; calls go on, what does not fit the queue is dropped`;
          logger.warn({ err: outcome.error }, hint);
        }
      } else if (failures > 0) {
        logger.info({ failedExports: failures }, `${what} are exported again`);
        failures = 0;
      }
      callback(outcome);
    });
  };
  return exporter;
}
