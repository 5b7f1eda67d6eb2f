"""Opens a new TLS channel for every call until the time is over; prints calls and failures.

Usage: rotation-grpcio.py ADDRESS PROTO_DIRECTORY CA SECONDS
"""

import sys
import time

import grpc


def main(address: str, proto_directory: str, ca: str, seconds: str) -> None:
    sys.path.insert(0, proto_directory)
    messages, services = grpc.protos_and_services("greeter/v1/greeter.proto")
    with open(ca, "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    calls = failures = 0
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        calls += 1
        with grpc.secure_channel(address, credentials) as channel:
            try:
                stub = services.GreeterServiceStub(channel)
                stub.SayHello(messages.SayHelloRequest(name="Ada"), timeout=10)
            except grpc.RpcError as error:
                failures += 1
                print(error, file=sys.stderr)
        time.sleep(0.05)
    print(calls, failures)


main(*sys.argv[1:])
