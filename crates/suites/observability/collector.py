"""A collector of traces: reads what it is sent with the published messages of OTLP, and appends each span as one line of
JSON to a file.

Takes the file for the spans, and the file that is told the port.
"""

import http.server
import json
import os
import sys

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

SPANS, PORT = sys.argv[1:3]


def plain(attributes):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in attributes}


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        # What the messages do not know would be kept apart, and come out again with the rest.
        known = ExportTraceServiceRequest()
        known.CopyFrom(request)
        known.DiscardUnknownFields()
        with open(SPANS, "a", encoding="utf-8") as out:
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        out.write(json.dumps({
                            "path": self.path,
                            "contentType": self.headers["Content-Type"],
                            "key": self.headers["X-Key"],
                            "known": known.SerializeToString() == request.SerializeToString(),
                            "resource": plain(resource.resource.attributes),
                            "scope": scope.scope.name,
                            "trace": span.trace_id.hex(),
                            "span": span.span_id.hex(),
                            "parent": span.parent_span_id.hex(),
                            "name": span.name,
                            "kind": Span.SpanKind.Name(span.kind),
                            "start": span.start_time_unix_nano,
                            "end": span.end_time_unix_nano,
                            "attributes": plain(span.attributes),
                            "error": span.status.code == Status.STATUS_CODE_ERROR,
                        }) + "\n")
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
with open(PORT + ".new", "w", encoding="utf-8") as out:
    out.write(str(server.server_address[1]))
os.rename(PORT + ".new", PORT)
server.serve_forever()
