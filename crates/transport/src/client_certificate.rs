//! A client certificate with its key: what proves a caller while a connection is made. Never shown, never recorded.

use std::fmt;

use crate::{Error, ErrorKind};

/// A client certificate with its key.
#[derive(Clone)]
pub struct ClientCertificate(reqwest::Identity);

impl ClientCertificate {
    /// Of the PEM texts of the certificate and of its key.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when they are not. The error quotes neither.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, Error> {
        let both = format!("{}\n{key}", certificate.trim_end());
        let unreadable =
            |_| Error::new(ErrorKind::Invalid, "client", "the client certificate or its key is not PEM");
        reqwest::Identity::from_pem(both.as_bytes()).map(Self).map_err(unreadable)
    }

    pub(crate) fn identity(&self) -> reqwest::Identity {
        self.0.clone()
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused_and_not_quoted() {
        for (certificate, key) in [("", ""), ("hunter2", "hunter2")] {
            let error = ClientCertificate::from_pem(certificate, key).unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
