"""Receives OTLP over HTTP and gRPC, keeps what it got, and tells it as JSON.

Usage: collector.py [http port] [grpc port]      (0 takes a free port)
Prints {"http": port, "grpc": port} when it listens.
GET /counts   how many spans, data points and log records came, by their sender's protocol
GET /spans    every span    GET /calls   sums of rpc.*.call.duration    GET /logs   every record
"""

import gzip
import json
import sys
import threading
from collections import Counter
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

lock = threading.Lock()
counts: Counter = Counter()
spans: list = []
records: list = []
calls: dict = {}


def value_of(any_value):
    kind = any_value.WhichOneof("value")
    if kind is None:
        return None
    value = getattr(any_value, kind)
    if kind == "array_value":
        return [value_of(item) for item in value.values]
    return value if isinstance(value, (str, bool, int, float)) else str(value)


def flat(attributes):
    return {attribute.key: value_of(attribute.value) for attribute in attributes}


def take_traces(request, sender):
    with lock:
        for resource_spans in request.resource_spans:
            resource = flat(resource_spans.resource.attributes)
            for scope in resource_spans.scope_spans:
                counts[f"spans {sender}"] += len(scope.spans)
                spans.extend(span_of(span, resource) for span in scope.spans)


def span_of(span, resource):
    return {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "name": span.name,
        "kind": span.kind,
        "service": resource.get("service.name"),
        "resource": resource,
        "startNs": span.start_time_unix_nano,
        "endNs": span.end_time_unix_nano,
        "status": span.status.code,
        "attributes": flat(span.attributes),
        "events": [{"name": event.name, "ns": event.time_unix_nano} for event in span.events],
        "links": [link.span_id.hex() for link in span.links],
    }


def take_metrics(request, sender):
    with lock:
        for resource_metrics in request.resource_metrics:
            for scope in resource_metrics.scope_metrics:
                for metric in scope.metrics:
                    take_metric(metric, sender)


def take_metric(metric, sender):
    points = getattr(metric, metric.WhichOneof("data")).data_points
    counts[f"points {sender}"] += len(points)
    if metric.name.endswith(".call.duration"):
        # Cumulative: the newest value of each set of attributes replaces the one before.
        sums = calls.setdefault(f"{metric.name} {sender}", {})
        for point in points:
            sums[json.dumps(flat(point.attributes), sort_keys=True)] = point.count


def take_logs(request, sender):
    with lock:
        for resource_logs in request.resource_logs:
            for scope in resource_logs.scope_logs:
                counts[f"records {sender}"] += len(scope.log_records)
                for record in scope.log_records:
                    records.append(
                        {
                            "body": value_of(record.body),
                            "severity": record.severity_text,
                            "traceId": record.trace_id.hex(),
                            "spanId": record.span_id.hex(),
                            "attributes": flat(record.attributes),
                        }
                    )


SIGNALS = {
    "/v1/traces": (
        take_traces,
        trace_service_pb2.ExportTraceServiceRequest,
        trace_service_pb2.ExportTraceServiceResponse,
    ),
    "/v1/metrics": (
        take_metrics,
        metrics_service_pb2.ExportMetricsServiceRequest,
        metrics_service_pb2.ExportMetricsServiceResponse,
    ),
    "/v1/logs": (
        take_logs,
        logs_service_pb2.ExportLogsServiceRequest,
        logs_service_pb2.ExportLogsServiceResponse,
    ),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        take, request_type, response_type = SIGNALS[self.path]
        body = self.read_body()
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        request = request_type()
        if self.headers["content-type"].startswith("application/json"):
            json_format.Parse(body, request, ignore_unknown_fields=True)
            take(request, "http/json")
            self.answer("application/json", b"{}")
        else:
            request.ParseFromString(body)
            take(request, "http/protobuf")
            self.answer("application/x-protobuf", response_type().SerializeToString())

    def do_GET(self):
        with lock:
            total = {name: sum(sums.values()) for name, sums in calls.items()}
            told = {"/counts": counts, "/spans": spans, "/calls": total, "/logs": records}
            body = json.dumps(told[self.path]).encode()
        self.answer("application/json", body)

    def read_body(self):
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers["content-length"]))
        body = b""
        while True:
            size = int(self.rfile.readline(), 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return body

    def answer(self, content_type, body):
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Traces(trace_service_pb2_grpc.TraceServiceServicer):
    def Export(self, request, context):
        take_traces(request, "grpc")
        return trace_service_pb2.ExportTraceServiceResponse()


class Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    def Export(self, request, context):
        take_metrics(request, "grpc")
        return metrics_service_pb2.ExportMetricsServiceResponse()


class Logs(logs_service_pb2_grpc.LogsServiceServicer):
    def Export(self, request, context):
        take_logs(request, "grpc")
        return logs_service_pb2.ExportLogsServiceResponse()


def main():
    http_port, grpc_port = [int(argument) for argument in (sys.argv[1:] + ["0", "0"])[:2]]
    grpc_server = grpc.server(futures.ThreadPoolExecutor(4))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Traces(), grpc_server)
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(Metrics(), grpc_server)
    logs_service_pb2_grpc.add_LogsServiceServicer_to_server(Logs(), grpc_server)
    grpc_port = grpc_server.add_insecure_port(f"127.0.0.1:{grpc_port}")
    grpc_server.start()
    http_server = ThreadingHTTPServer(("127.0.0.1", http_port), Handler)
    print(json.dumps({"http": http_server.server_port, "grpc": grpc_port}), flush=True)
    http_server.serve_forever()


main()
