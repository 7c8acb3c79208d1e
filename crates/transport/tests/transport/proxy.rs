//! The environment's proxy: used for every host but loopback. The environment belongs to a process, so the test runs
//! itself once more with one of its own.

use std::process::Command;

use pmks_transport::{AllowedHost, Call, Effect, Method, Url};

use crate::rig::Rig;
use crate::server::{Server, answer};

const NAME: &str = "proxy::loopback_is_reached_directly_and_all_else_by_the_proxy";
const INSIDE: &str = "PMKS_TEST_PROXIED";

#[tokio::test]
async fn loopback_is_reached_directly_and_all_else_by_the_proxy() {
    if std::env::var_os(INSIDE).is_some() {
        return proxied().await;
    }
    let proxy = Server::start([answer(200, &[], "by proxy")]).await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", NAME]).env(INSIDE, "1");
    for name in ["NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "REQUEST_METHOD"] {
        child.env_remove(name);
    }
    child.env("http_proxy", format!("http://{}", proxy.address));
    let output = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(proxy.seen(), 1);
    assert!(proxy.request(0).starts_with("GET http://cloud.example/x HTTP/1.1\r\n"), "{}", proxy.request(0));
}

async fn proxied() {
    let far = Url::parse("http://cloud.example/x").unwrap();
    let allowed = AllowedHost::origin_of(&far);
    let rig = Rig::with(
        [answer(200, &[], "directly")],
        |mut options| {
            options.allowed_hosts.push(allowed);
            options
        },
        |builder| builder,
    )
    .await;
    let far = Call::new("eks", "eks.Far", Effect::Creates, Method::GET, far);
    assert_eq!(rig.client.send(far).await.unwrap().body, "by proxy");
    assert_eq!(rig.client.send(rig.call(Effect::Creates)).await.unwrap().body, "directly");
    assert_eq!(rig.server.seen(), 1);
}
