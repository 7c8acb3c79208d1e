//! EC2's calls for the tags of what stands.

use pmks_driver::{Effect, Result};
use pmks_model::Tags;

use super::Api;
use super::ec2::write;

impl Api {
    /// Gives a resource tags. Those of the same key are written over, all others stay.
    ///
    /// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html>
    ///
    /// # Errors
    /// `QuotaExceeded` (`TagLimitExceeded`) beyond 50.
    pub(crate) async fn give_tags(&self, resource: &str, tags: &Tags) -> Result<()> {
        let mut query = write("ec2.CreateTags", Effect::Idempotent).field("ResourceId.1", resource);
        for (index, (key, value)) in tags.iter().enumerate() {
            let entry = format!("Tag.{}", index + 1);
            query = query.field(format!("{entry}.Key"), key).field(format!("{entry}.Value"), value);
        }
        self.done(query).await
    }

    /// Takes tags off a resource, whatever their value. What it does not have is no error.
    ///
    /// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html>
    pub(crate) async fn take_tags(&self, resource: &str, keys: &[String]) -> Result<()> {
        let mut query = write("ec2.DeleteTags", Effect::Idempotent).field("ResourceId.1", resource);
        for (index, key) in keys.iter().enumerate() {
            query = query.field(format!("Tag.{}.Key", index + 1), key);
        }
        self.done(query).await
    }
}
