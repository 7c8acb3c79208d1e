//! CB-Spider's variables, where they have a meaning here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use pmks_server::Authentication;
use secrecy::SecretString;

use crate::app::App;
use crate::error::{Error, Result};
use crate::output;
use crate::spider_variables::{self, ID_TRANSFORM_MODE, PASSWORD, SERVER_ADDRESS, USERNAME};

/// CB-Spider's port, and ours.
const PORT: u16 = 1024;
/// Where a server listens where nobody says.
pub(crate) const USUAL_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT);

/// Says at the start whether `/spider` is served, and which variables mean nothing.
pub(super) fn tell(app: &App) {
    let Some(name) = app.environment.get(USERNAME) else {
        return output::note(&format!("/spider is not served: {USERNAME} and {PASSWORD} are not set"));
    };
    output::note(&format!("/spider, CB-Spider's interface, is served to {name}"));
    for (variable, instead) in spider_variables::without_meaning() {
        if app.environment.get(variable).is_some() {
            output::note(&format!("{variable} has no meaning here: {instead}"));
        }
    }
}

/// Opens `/spider` to the user that the variables name.
///
/// # Errors
/// One of the two is set without the other.
pub(super) fn serve(app: &App, authentication: Authentication) -> Result<Authentication> {
    match (app.environment.get(USERNAME), app.environment.get(PASSWORD)) {
        (Some(name), Some(_)) if name.contains(':') => {
            Err(Error::usage(format!("{USERNAME} holds a colon, at which HTTP Basic ends a name")))
        }
        (Some(name), Some(password)) => {
            let served = authentication.with_spider(name, &SecretString::from(password));
            served.map_err(|error| Error::new(pmks_model::FailureKind::Unexpected, error.to_string()))
        }
        (None, None) => Ok(authentication),
        _ => Err(Error::usage(format!("{USERNAME} and {PASSWORD} belong together: one of them is missing"))),
    }
}

/// Whether what is made gets a unique name at the cloud: as the flag says, else CB-Spider's variable. Unset it is OFF here.
///
/// # Errors
/// The variable is neither ON nor OFF.
pub(super) fn unique_cloud_names(app: &App, asked: Option<bool>) -> Result<bool> {
    let mode = app.environment.get(ID_TRANSFORM_MODE).unwrap_or_default();
    match (asked, mode.trim().to_ascii_uppercase().as_str()) {
        (Some(asked), _) => Ok(asked),
        (None, "ON") => Ok(true),
        (None, "" | "OFF") => Ok(false),
        (None, _) => Err(Error::usage(format!("{ID_TRANSFORM_MODE} is ON or OFF, not {mode:?}"))),
    }
}

/// Where to listen: where CB-Spider would, if its address is set, `/spider` is served, and nobody said otherwise.
///
/// # Errors
/// The address cannot be read.
pub(super) fn listen(app: &App, asked: Option<SocketAddr>) -> Result<SocketAddr> {
    match (asked, app.environment.get(SERVER_ADDRESS)) {
        (Some(asked), _) => Ok(asked),
        (None, Some(address)) if app.environment.get(USERNAME).is_some() => {
            address_of(address).ok_or_else(|| {
                Error::usage(format!("{SERVER_ADDRESS} is no HOST, HOST:PORT or :PORT: {address:?}"))
            })
        }
        (None, _) => Ok(USUAL_ADDRESS),
    }
}

/// No host, and loopback's names and addresses, mean loopback; any other host means every interface, as CB-Spider has it.
fn address_of(text: &str) -> Option<SocketAddr> {
    if let Some(address) = text.parse().ok().or_else(|| Some(SocketAddr::new(text.parse().ok()?, PORT))) {
        return Some(SocketAddr::new(interfaces(address.ip()), address.port()));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (text, PORT),
    };
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let ip = match host {
        "" | "localhost" => Ipv4Addr::LOCALHOST,
        _ if host.chars().all(of_a_name) => Ipv4Addr::UNSPECIFIED,
        _ => return None,
    };
    Some(SocketAddr::new(IpAddr::V4(ip), port))
}

fn interfaces(ip: IpAddr) -> IpAddr {
    match ip {
        loopback if loopback.is_loopback() => loopback,
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_mean_what_they_mean_to_cb_spider() {
        for (text, address) in [
            ("localhost", "127.0.0.1:1024"),
            ("127.0.0.1:2048", "127.0.0.1:2048"),
            (":1025", "127.0.0.1:1025"),
            ("spider.example", "0.0.0.0:1024"),
            ("0.0.0.0:1024", "0.0.0.0:1024"),
            ("10.0.0.7", "0.0.0.0:1024"),
            ("[::1]:1025", "[::1]:1025"),
            ("::1", "[::1]:1024"),
            ("[fd00::7]:1025", "[::]:1025"),
        ] {
            assert_eq!(address_of(text).unwrap().to_string(), address, "{text}");
        }
        for text in ["host:port", "bad:addr:1", "[::1]", "a host", "http://host:1024"] {
            assert!(address_of(text).is_none(), "{text}");
        }
    }
}
