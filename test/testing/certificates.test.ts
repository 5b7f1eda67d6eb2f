import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, test } from "node:test";
import { createTestCertificates } from "connectum/testing";

/** What Node reads in a certificate. */
function read(pem: string) {
  const { subject, subjectAltName, validFrom, validTo } = new X509Certificate(pem);
  return { subject, names: subjectAltName, from: new Date(validFrom), to: new Date(validTo) };
}

describe("createTestCertificates", () => {
  test("names are those of the server, client those of the client", async () => {
    const { server, client } = await createTestCertificates({
      names: ["orders.test", "10.0.0.1"],
      client: { name: "billing", uris: ["spiffe://test/billing"] },
    });
    const { subject, names } = read(server.cert);
    assert.deepEqual([subject, names], ["CN=orders.test", "DNS:orders.test, IP Address:10.0.0.1"]);
    const caller = read(client.cert);
    assert.deepEqual([caller.subject, caller.names], ["CN=billing", "URI:spiffe://test/billing"]);
  });

  test("are for the loopback, and valid for a day each way, by default", async () => {
    const { server, client, ca, issue } = await createTestCertificates();
    const authority = new X509Certificate(ca);
    for (const { cert } of [server, await issue()]) {
      const { subject, names, from, to } = read(cert);
      assert.deepEqual([subject, names], ["CN=localhost", "DNS:localhost, IP Address:127.0.0.1"]);
      assert.equal(to.getTime() - from.getTime(), 2 * 86_400_000);
      assert.ok(new X509Certificate(cert).verify(authority.publicKey));
    }
    assert.equal(read(client.cert).subject, "CN=client");
  });

  test("issue() takes names and a time of one's own", async () => {
    const { issue } = await createTestCertificates();
    const wanted = {
      name: "old",
      names: ["old.test"],
      uris: ["spiffe://test/old"],
      notBefore: new Date("2020-01-01T00:00:00Z"),
      notAfter: new Date("2020-01-02T00:00:00Z"),
    };
    const { cert } = await issue(wanted);
    assert.deepEqual(read(cert), {
      subject: "CN=old",
      names: "DNS:old.test, URI:spiffe://test/old",
      from: wanted.notBefore,
      to: wanted.notAfter,
    });
  });
});
