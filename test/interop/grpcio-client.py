"""Calls every method of the greeter with grpcio and prints one greeting per line.

Usage: grpcio-client.py ADDRESS PROTO_DIRECTORY
"""

import sys

import grpc


def main(address: str, proto_directory: str) -> None:
    sys.path.insert(0, proto_directory)
    messages, services = grpc.protos_and_services("greeter/v1/greeter.proto")
    with grpc.insecure_channel(address) as channel:
        stub = services.GreeterServiceStub(channel)
        print(stub.SayHello(messages.SayHelloRequest(name="Ada"), timeout=10).greeting)
        for answer in stub.SayHelloInLanguages(
            messages.SayHelloInLanguagesRequest(name="Ada"), timeout=10
        ):
            print(answer.greeting)
        names = iter([messages.ConverseRequest(name=name) for name in ("Grace", "Edsger")])
        for answer in stub.Converse(names, timeout=10):
            print(answer.greeting)
        try:
            stub.SayHello(messages.SayHelloRequest(), timeout=10)
        except grpc.RpcError as error:
            print(error.code().name, error.details())


main(*sys.argv[1:])
