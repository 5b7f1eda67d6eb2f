"""The load of load.ts with grpcio: default channel options, no retry policy.

Usage: grpcio.py HOST:PORT MAX_PAUSE_MS STREAM_MESSAGES [CA_FILE]. Prints "ready" after its first answers; ends when
standard input does, with a report as the last line.
"""

import json
import random
import sys
import threading
import time

import grpc

SERVICE = "/greeter.v1.GreeterService/"
UNARY_LOOPS = 4
STREAM_LOOPS = 2
KEPT_FAILURES = 50
CALL_LIMIT_S = 20


class Load:
    def __init__(self, channel: grpc.Channel, max_pause_s: float, stream_messages: int) -> None:
        self.max_pause_s = max_pause_s
        self.stream_messages = stream_messages
        self.unary_call = channel.unary_unary(SERVICE + "SayHello")
        self.stream_call = channel.unary_stream(SERVICE + "SayHelloInLanguages")
        self.lock = threading.Lock()
        self.is_over = False
        self.calls = 0
        self.failed = 0
        self.failures: list[dict] = []
        self.answered: dict[str, int] = {}

    def unary(self) -> str:
        return replica_of(self.unary_call(request("Ada"), timeout=CALL_LIMIT_S), "Ada")

    def stream(self) -> str:
        senders = set()
        count = 0
        for message in self.stream_call(request("Ada"), timeout=CALL_LIMIT_S):
            senders.add(replica_of(message, str(count)))
            count += 1
        if count != self.stream_messages or len(senders) != 1:
            raise ValueError(f"a stream of {senders} ended after {count} messages")
        return senders.pop()

    def loop(self, call) -> None:
        while not self.is_over:
            started = time.time()
            try:
                replica, failure = call(), None
            except Exception as error:  # Whatever it is, the call failed.
                replica, failure = None, text_of(error)
            with self.lock:
                self.calls += 1
                if failure is None:
                    self.answered[replica] = self.answered.get(replica, 0) + 1
                else:
                    self.failed += 1
                    now = time.time()
                    text = f"{call.__name__} after {(now - started) * 1000:.0f} ms: {failure}"
                    if len(self.failures) < KEPT_FAILURES:
                        self.failures.append({"at": int(now * 1000), "text": text})
            time.sleep(random.random() * self.max_pause_s)

    def run(self) -> dict:
        self.unary()
        self.stream()
        print("ready", flush=True)
        calls = [self.unary] * UNARY_LOOPS + [self.stream] * STREAM_LOOPS
        threads = [threading.Thread(target=self.loop, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        sys.stdin.read()
        self.is_over = True
        for thread in threads:
            thread.join()
        return {
            "calls": self.calls,
            "failed": self.failed,
            "neverSent": 0,
            "failures": self.failures,
            "answered": self.answered,
        }


def request(name: str) -> bytes:
    """A message whose field 1 is a short string; the answers look the same."""
    return bytes([0x0A, len(name)]) + name.encode()


def replica_of(message: bytes, expected: str) -> str:
    replica, rest = message[2:].decode().split(" ")
    if rest != expected:
        raise ValueError(f"expected {expected}, got {rest}")
    return replica


def text_of(error: Exception) -> str:
    if isinstance(error, grpc.RpcError):
        return f"{error.code().name} {error.details()}"
    return repr(error)


def main(authority: str, max_pause_ms: str, stream_messages: str, ca_file: str | None = None) -> None:
    if ca_file:
        with open(ca_file, "rb") as file:
            credentials = grpc.ssl_channel_credentials(file.read())
        channel = grpc.secure_channel(authority, credentials)
    else:
        channel = grpc.insecure_channel(authority)
    with channel:
        load = Load(channel, int(max_pause_ms) / 1000, int(stream_messages))
        print(json.dumps(load.run()), flush=True)


main(*sys.argv[1:])
