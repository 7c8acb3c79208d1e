//! Connections whose endpoint is no cloud: it answers a web page, leads elsewhere, says too much, nothing, or never stops.
//! Each ends in time with one clear refusal, the credential goes nowhere else, and the server needs no more memory.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::sandbox::{Sandbox, Server, http_post};

/// Listens, counts who comes, and has each served.
fn listen(
    serve: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let came = Arc::new(AtomicUsize::new(0));
    let (counts, serve) = (Arc::clone(&came), Arc::new(serve));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            counts.fetch_add(1, Ordering::Relaxed);
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || {
                let mut stream = stream;
                // Who is refused has gone already.
                let _ = serve(&mut stream);
            });
        }
    });
    (address, came)
}

/// Something that answers each request with these bytes, whatever it is.
fn says(answer: String) -> String {
    let (address, _) = listen(move |stream| {
        let mut buffer = [0; 1 << 14];
        while stream.read(&mut buffer)? > 0 {
            stream.write_all(answer.as_bytes())?;
        }
        Ok(())
    });
    address
}

fn page(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// Something that says this once, and then that again and again.
fn never_stops(first: &'static str, again: Vec<u8>) -> String {
    let (address, _) = listen(move |stream| {
        let mut buffer = [0; 1 << 14];
        let _ = stream.read(&mut buffer)?;
        stream.write_all(first.as_bytes())?;
        loop {
            stream.write_all(&again)?;
        }
    });
    address
}

#[test]
fn what_is_no_cloud_is_refused_in_time_and_gets_the_credential_alone() {
    let user = Sandbox::new();
    let server = user.serve(&[]);
    let credentials: Vec<(&str, Value)> = ["aws", "azure", "gcp"]
        .into_iter()
        .map(|cloud| (cloud, user.simulate_cloud(cloud, "1000", 0).ready["connection"].clone()))
        .collect();
    let (elsewhere, astray) = listen(|_| Ok(()));
    let html = "<html><body>Please sign in</body></html>";
    let zeros = vec![b'0'; 1 << 16];
    let endless_head = b"X-More: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(1000);
    let chunks = [b"10000\r\n", &*zeros, b"\r\n"].concat();
    let redirect = |to: &str| says(page("307 Temporary Redirect", &format!("Location: {to}\r\n"), ""));
    let endpoints = [
        ("a web page", says(page("200 OK", "Content-Type: text/html\r\n", html))),
        ("a web page that refuses", says(page("403 Forbidden", "Content-Type: text/html\r\n", html))),
        ("another place", redirect(&format!("http://{elsewhere}/"))),
        ("the metadata service", redirect("http://169.254.169.254/latest/meta-data/")),
        ("no HTTP", says("SSH-2.0-OpenSSH_9.6\r\n".to_owned())),
        ("nothing", listen(|_| Ok(())).0),
        (
            "silence",
            listen(|stream| stream.read(&mut [0; 1 << 14]).and_then(|_| stream.read(&mut [0])).map(drop)).0,
        ),
        (
            "an endless body",
            never_stops("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunks.clone()),
        ),
        ("a huge body", never_stops("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n", zeros)),
        ("an endless head", never_stops("HTTP/1.1 200 OK\r\n", endless_head)),
        ("deep JSON", says(page("200 OK", "Content-Type: application/json\r\n", &"[".repeat(1 << 20)))),
        (
            "a wrong length",
            says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx".to_owned()),
        ),
    ];
    let token = std::fs::read_to_string(user.path(".local/share/pmks/token")).unwrap();
    let post = |path: &str, body: &Value| {
        let (status, text) = http_post(&format!("{}/v1/{path}", server.url), token.trim(), body);
        (status, text.clone(), serde_json::from_str::<Value>(&text).unwrap())
    };
    let create = |name: &str, connection: &Value, url: &str| {
        let mut body = connection.clone();
        body["name"] = json!(name);
        body["endpoints"] = json!({"all": url});
        body["pace"] = json!(30);
        post("connections", &body)
    };
    // What the credential is worth, as the endpoint says it.
    let refused = |name: &str, connection: &Value, url: &str| {
        let began = Instant::now();
        let (status, text, _) = create(name, connection, url);
        assert_eq!(status, 201, "{name}: {text}");
        let (_, text, said) = post(&format!("connections/{name}/validate"), &json!({}));
        assert_eq!(said["valid"], false, "{name}: {text}");
        assert!(
            said["error"]["status"].as_u64().is_some_and(|status| (502..=504).contains(&status)),
            "{text}"
        );
        // It says nothing of the credential, also where that is exchanged for a token there.
        assert_ne!(said["error"]["code"], "unauthenticated", "{name}: {text}");
        assert!(said["error"]["detail"].as_str().is_some_and(|says| says.len() > 40), "{name}: {text}");
        assert!(text.len() < 4000, "{name}: {}", text.len());
        assert!(began.elapsed() < Duration::from_secs(30), "{name}: {:?}", began.elapsed());
    };
    std::thread::scope(|scope| {
        for (cloud, connection) in &credentials {
            for (number, (_, address)) in endpoints.iter().enumerate() {
                let refused = &refused;
                scope.spawn(move || {
                    refused(&format!("{cloud}-{number}"), connection, &format!("http://{address}"));
                });
            }
        }
    });
    assert_eq!(astray.load(Ordering::Relaxed), 0, "a credential was led elsewhere");
    // Endless answers to many at once are read a few at a time.
    let endless = never_stops("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunks.clone());
    std::thread::scope(|scope| {
        for number in 0..64 {
            let (cloud, connection) = &credentials[number % credentials.len()];
            let (refused, endless) = (&refused, &endless);
            scope.spawn(move || {
                refused(&format!("{cloud}-many-{number}"), connection, &format!("http://{endless}"));
            });
        }
    });
    let most = most_memory(&server);
    assert!(most < 224 << 10, "{most} KiB");

    // TLS of nobody's, and addresses at which no cloud is.
    let (plain, _) = listen(|stream| stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    for (cloud, connection) in &credentials {
        refused(&format!("{cloud}-tls"), connection, &format!("https://{plain}"));
        for url in
            ["http://169.254.169.254", "http://[fe80::1]", "http://2852039166/", "http://u:p@127.0.0.1"]
        {
            let (status, text, _) = create(cloud, connection, url);
            assert_eq!(status, 422, "{cloud}, {url}: {text}");
            assert!(text.contains("endpoints.all"), "{cloud}, {url}: {text}");
        }
    }
    assert_eq!(server.terminate(), Some(0));
}

/// The most memory that the process had so far, in KiB; 0 where the system does not say.
fn most_memory(server: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}
