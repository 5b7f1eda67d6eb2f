"""Calls SayHello over TLS with grpcio and prints the greeting, or the status code.

Usage: grpcio-tls-client.py ADDRESS PROTO_DIRECTORY CA [KEY CERTIFICATE]
"""

import sys

import grpc


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def main(address: str, proto_directory: str, ca: str, *pair: str) -> None:
    sys.path.insert(0, proto_directory)
    messages, services = grpc.protos_and_services("greeter/v1/greeter.proto")
    key, certificate = (read(path) for path in pair) if pair else (None, None)
    credentials = grpc.ssl_channel_credentials(read(ca), key, certificate)
    with grpc.secure_channel(address, credentials) as channel:
        stub = services.GreeterServiceStub(channel)
        try:
            print(stub.SayHello(messages.SayHelloRequest(name="Ada"), timeout=10).greeting)
        except grpc.RpcError as error:
            print(error.code().name)


main(*sys.argv[1:])
