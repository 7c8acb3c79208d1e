//! The ways to prove who acts, as data.

use pmks_driver::{Credential, Field, Form};
use serde_json::Value;

const fn field(
    name: &'static str,
    secret: bool,
    required: bool,
    spider: &'static str,
    help: &'static str,
) -> Field {
    Field { name, secret, required, env: "", help, spider }
}

/// The field that holds a whole key.
pub(crate) const SERVICE_ACCOUNT_KEY: &str = "serviceAccountKey";
/// The field that holds a private key alone.
pub(crate) const PRIVATE_KEY: &str = "privateKey";

/// The ways to prove who acts. The environment variables of Google's own tools name files, which no field is: ambient
/// connections read them.
pub(crate) const FORMS: &[Form] = &[
    Form {
        name: "serviceAccountKey",
        help: "a service account's key, as Google hands it out",
        fields: &[field(SERVICE_ACCOUNT_KEY, true, true, "", "the key: all of its JSON")],
    },
    Form {
        name: "serviceAccount",
        help: "the three parts of a service account's key that matter",
        fields: &[
            field("clientEmail", false, true, "ClientEmail", "the service account's address"),
            field(PRIVATE_KEY, true, true, "PrivateKey", "its private key in PEM"),
            field("projectId", false, true, "ProjectID", "the project"),
        ],
    },
];

/// The same key, said to be of an account that does not exist. Other letters in the key itself would make it none.
pub(crate) fn wrong(right: &Credential) -> Option<Credential> {
    let Credential::Values(_) = right else { return None };
    let nobody = |address: &str| Some(format!("pmks-nobody@{}", address.split_once('@')?.1));
    let wrong = |field: &str, value: &str| match field {
        "clientEmail" => nobody(value),
        SERVICE_ACCOUNT_KEY => {
            let mut file: Value = serde_json::from_str(value).ok()?;
            let address = file.get_mut("client_email")?;
            *address = Value::from(nobody(address.as_str()?)?);
            Some(file.to_string())
        }
        _ => Some(value.to_owned()),
    };
    let values = right.fields().into_iter().map(|field| {
        let value = right.get(field).unwrap_or_default();
        Some((field.to_owned(), wrong(field, value)?))
    });
    Some(Credential::from_values(values.collect::<Option<Vec<_>>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_credential_is_another_accounts() {
        let of = |pairs: &[(&str, &str)]| {
            Credential::from_values(
                pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
            )
        };
        let right =
            of(&[("clientEmail", "a@p.iam.gserviceaccount.com"), ("privateKey", "k"), ("projectId", "p")]);
        let made = wrong(&right).unwrap();
        assert_eq!(made.get("clientEmail"), Some("pmks-nobody@p.iam.gserviceaccount.com"));
        assert_eq!((made.get("privateKey"), made.get("projectId")), (Some("k"), Some("p")));
        let whole =
            wrong(&of(&[("serviceAccountKey", r#"{"client_email":"a@b","project_id":"p"}"#)])).unwrap();
        let file: Value = serde_json::from_str(whole.get("serviceAccountKey").unwrap()).unwrap();
        assert_eq!(
            (file["client_email"].as_str(), file["project_id"].as_str()),
            (Some("pmks-nobody@b"), Some("p"))
        );
        assert!(
            wrong(&Credential::Ambient).is_none() && wrong(&of(&[("serviceAccountKey", "{}")])).is_none()
        );
    }

    #[test]
    fn a_form_is_told_by_its_fields() {
        let form = |names: &[&str]| {
            let values = names.iter().map(|name| ((*name).to_owned(), "x".to_owned()));
            Credential::from_values(values).form(FORMS).map(|form| form.map(|form| form.name))
        };
        assert_eq!(form(&["serviceAccountKey"]).unwrap(), Some("serviceAccountKey"));
        assert_eq!(form(&["clientEmail", "privateKey", "projectId"]).unwrap(), Some("serviceAccount"));
        assert!(
            form(&["clientEmail", "privateKey"]).unwrap_err().to_string().contains("credential.projectId")
        );
        assert!(form(&["serviceAccountKey", "projectId"]).is_err());
        let fields = FORMS.iter().flat_map(|form| form.fields);
        let secret: Vec<&str> = fields.filter(|field| field.secret).map(|field| field.name).collect();
        assert_eq!(secret, ["serviceAccountKey", "privateKey"]);
    }
}
