//! Answers and errors in the shape of each of AWS' protocols.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use pmks_simulation::Answered;

use crate::error::Error;
use crate::xml::Xml;

/// How a service writes on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// EC2's query protocol.
    Ec2,
    /// The query protocol of the others, with the namespace of their answers.
    Query(&'static str),
    /// EKS' REST with JSON.
    RestJson,
}

/// The answer of a query-protocol call that went well.
pub(crate) fn success(protocol: Protocol, action: &str, content: &Xml, request_id: &str) -> Answered {
    let text = match protocol {
        Protocol::Ec2 | Protocol::RestJson => {
            let body = Xml::new().text("requestId", request_id).and(content);
            body.document(&format!("{action}Response"), "http://ec2.amazonaws.com/doc/2016-11-15/")
        }
        Protocol::Query(namespace) => {
            let metadata = Xml::new().text("RequestId", request_id);
            let body =
                Xml::new().child(&format!("{action}Result"), content).child("ResponseMetadata", &metadata);
            body.document(&format!("{action}Response"), namespace)
        }
    };
    answered(StatusCode::OK, text, None, request_id, protocol)
}

/// A refusal in the protocol's shape.
pub(crate) fn failure(protocol: Protocol, error: &Error, request_id: &str) -> Answered {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let inner = Xml::new().text("Code", &error.code).text("Message", &error.message);
    let text = match protocol {
        Protocol::Ec2 => {
            let errors = Xml::new().child("Error", &inner);
            Xml::new().child("Errors", &errors).text("RequestID", request_id).document("Response", "")
        }
        Protocol::Query(namespace) => {
            let kind = if status.is_server_error() { "Receiver" } else { "Sender" };
            let inner = Xml::new().text("Type", kind).and(&inner);
            Xml::new()
                .child("Error", &inner)
                .text("RequestId", request_id)
                .document("ErrorResponse", namespace)
        }
        Protocol::RestJson => serde_json::json!({"message": error.message}).to_string(),
    };
    let mut answered = answered(status, text, Some(error.code.clone()), request_id, protocol);
    if let (Protocol::RestJson, Ok(code)) = (protocol, HeaderValue::from_str(&error.code)) {
        answered.response.headers_mut().insert("x-amzn-errortype", code);
    }
    answered
}

fn answered(
    status: StatusCode,
    text: String,
    code: Option<String>,
    request_id: &str,
    protocol: Protocol,
) -> Answered {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    let content_type = match protocol {
        Protocol::Ec2 => "text/xml;charset=UTF-8",
        Protocol::Query(_) => "text/xml",
        Protocol::RestJson => "application/json",
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    Answered { response, code, request_id: request_id.to_owned() }
}
