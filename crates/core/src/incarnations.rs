//! What tells a network, subnet, security group or key pair from a later one of the same identifier. Where the cloud has
//! nothing of the kind the identifier stands for it in our records, as it does in older ones: then nothing is compared.

use pmks_store::Resource;

/// What the cloud told of the one that the record is about; empty where it told nothing.
pub(crate) fn told(record: &Resource) -> &str {
    let known = record.incarnation.as_deref().filter(|known| Some(*known) != record.system_id.as_deref());
    known.unwrap_or_default()
}

/// What a record keeps of something that has that identifier, of which the cloud tells that.
pub(crate) fn kept<'a>(system_id: &'a str, told: &'a str) -> &'a str {
    if told.is_empty() { system_id } else { told }
}

/// Whether what the cloud tells is of another one than the record is about.
pub(crate) fn is_another(record: &Resource, found: &str) -> bool {
    let known = told(record);
    !known.is_empty() && !found.is_empty() && known != found
}
