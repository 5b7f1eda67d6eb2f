import assert from "node:assert/strict";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";
import type { Logger } from "connectum/core";
import {
  createFakeClock,
  createTestCertificates,
  createTestServer,
  type TestCertificates,
  type TestKeyPair,
} from "connectum/testing";
import { withResolvers } from "../support/with-resolvers.ts";

let authority: TestCertificates;
before(async () => {
  authority = await createTestCertificates();
});

/** A directory of certificates with a server that reloads from it, and what the server logs. */
async function startReloading(t: TestContext, clientAuth?: "require") {
  const dirPath = mkdtempSync(join(tmpdir(), "connectum-"));
  t.after(() => rmSync(dirPath, { recursive: true }));
  write(dirPath, await authority.issue());
  if (clientAuth) writeFileSync(join(dirPath, "ca.crt"), authority.ca);
  const logged = createLog();
  const { port } = await createTestServer({
    t,
    tls: { dirPath, clientAuth, reload: { intervalMs: 20 } },
    logger: logged.logger,
  });
  return { dirPath, port, logged };
}

function write(dirPath: string, { key, cert }: Partial<TestKeyPair>): void {
  if (key) writeFileSync(join(dirPath, "server.key"), key);
  if (cert) writeFileSync(join(dirPath, "server.crt"), cert);
}

function createLog() {
  const warnings: string[] = [];
  let reloaded = withResolvers();
  let warned = withResolvers();
  const logger: Logger = {
    debug() {},
    error() {},
    info: () => reloaded.resolve(),
    warn(details, message) {
      warnings.push(`${message}: ${(details as { err?: Error }).err?.message ?? ""}`);
      warned.resolve();
    },
  };
  return {
    logger,
    warnings,
    async reloaded() {
      await reloaded.promise;
      reloaded = withResolvers();
    },
    async warned() {
      await warned.promise;
      warned = withResolvers();
    },
  };
}

async function serialOf(port: number, options: object = {}): Promise<string> {
  const socket: TLSSocket = connect({ port, host: "127.0.0.1", ca: authority.ca, ...options });
  await once(socket, "secureConnect");
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

describe("tls.reload", () => {
  test("false never looks at the files again, unlike the default", async (t) => {
    const dirPath = mkdtempSync(join(tmpdir(), "connectum-"));
    t.after(() => rmSync(dirPath, { recursive: true }));
    write(dirPath, await authority.issue());
    const clock = createFakeClock({ t, now: Date.now() });
    await createTestServer({ t, tls: { dirPath, reload: false } });
    await createTestServer({ t, tls: { dirPath } });
    // A server reads the files once more before it waits.
    while (clock.pendingTimers === 0) await turn();
    assert.equal(clock.pendingTimers, 1);
  });

  test("swaps a changed certificate in; open connections stay", async (t) => {
    const { dirPath, port, logged } = await startReloading(t);
    const open = connect({ port, host: "127.0.0.1", ca: authority.ca });
    await once(open, "secureConnect");
    t.after(() => open.destroy());
    const before = await serialOf(port);
    write(dirPath, await authority.issue());
    await logged.reloaded();
    assert.notEqual(await serialOf(port), before);
    assert.equal(open.destroyed, false);
  });

  test("a broken, a mismatched and an expired certificate keep the old one and warn once each", async (t) => {
    const { dirPath, port, logged } = await startReloading(t);
    const before = await serialOf(port);
    const expired = await authority.issue({ notAfter: new Date(Date.now() - 1_000) });
    const stranger = await authority.issue();
    for (const bad of [{ cert: "garbage" }, { cert: stranger.cert }, expired]) {
      write(dirPath, bad);
      await logged.warned();
      assert.equal(await serialOf(port), before);
    }
    write(dirPath, await authority.issue());
    await logged.reloaded();
    assert.notEqual(await serialOf(port), before);
    const reasons = [/server\.crt holds no readable PEM/, /does not belong/, /valid from/];
    for (const reason of reasons) {
      assert.equal(logged.warnings.filter((line) => reason.test(line)).length, 1, String(reason));
    }
  });

  test("sees the symlink swap of a Kubernetes secret", async (t) => {
    const dirPath = mkdtempSync(join(tmpdir(), "connectum-"));
    t.after(() => rmSync(dirPath, { recursive: true }));
    const publish = async (version: string) => {
      mkdirSync(join(dirPath, version));
      write(join(dirPath, version), await authority.issue());
      symlinkSync(version, join(dirPath, "..data_tmp"));
      renameSync(join(dirPath, "..data_tmp"), join(dirPath, "..data"));
    };
    await publish("v1");
    for (const name of ["server.key", "server.crt"]) {
      symlinkSync(join("..data", name), join(dirPath, name));
    }
    const logged = createLog();
    const { port } = await createTestServer({
      t,
      tls: { dirPath, reload: { intervalMs: 20 } },
      logger: logged.logger,
    });
    const before = await serialOf(port);
    await publish("v2");
    await logged.reloaded();
    assert.notEqual(await serialOf(port), before);
  });

  test("a removed file warns once and keeps the certificate", async (t) => {
    const { dirPath, port, logged } = await startReloading(t);
    unlinkSync(join(dirPath, "server.crt"));
    await logged.warned();
    assert.ok(await serialOf(port));
    write(dirPath, await authority.issue());
    await logged.reloaded();
    assert.equal(logged.warnings.length, 1);
  });

  test("a removed client CA refuses its clients after the reload, resumed sessions included", async (t) => {
    const { dirPath, port, logged } = await startReloading(t, "require");
    const client = await authority.issue({ name: "client" });
    const accepted = connect({ port, host: "127.0.0.1", ca: authority.ca, ...client });
    const session = await new Promise<Buffer>((resolve) => accepted.once("session", resolve));
    accepted.destroy();
    writeFileSync(join(dirPath, "ca.crt"), (await createTestCertificates()).ca);
    await logged.reloaded();
    for (const resumed of [undefined, session]) {
      const socket = connect({
        port,
        host: "127.0.0.1",
        ca: authority.ca,
        ...client,
        session: resumed,
      });
      // With TLS 1.3 the refusal comes after the client's side of the handshake.
      let answers = 0;
      socket.on("data", () => answers++);
      socket.on("error", () => {});
      socket.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await once(socket, "close");
      assert.equal(answers, 0);
    }
  });

  test("inline keys are not reloaded, and asking for it is refused", async (t) => {
    const pair = await authority.issue();
    await assert.rejects(createTestServer({ t, tls: { ...pair, reload: true } }), {
      code: "INVALID_OPTION",
      message: /tls\.reload watches files/,
    });
  });
});
