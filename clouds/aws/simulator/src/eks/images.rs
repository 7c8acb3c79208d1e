//! The node images of EKS: one for each kind and Kubernetes version in each region, with ids that never change.

use super::versions;
use crate::ec2::images;

/// The id of the image of this kind for this Kubernetes version. Amazon Linux's own are those that EC2 describes.
pub(crate) fn id(region: &str, ami_type: &str, version: &str) -> String {
    let release = versions::find(version).map(versions::Version::image_release).unwrap_or_default();
    let minor = versions::find(version).map(|version| version.minor).unwrap_or_default();
    let name = match ami_type {
        "AL2023_x86_64_STANDARD" => images::al2023_name("x86_64", minor),
        "AL2023_ARM_64_STANDARD" => images::al2023_name("arm64", minor),
        other => format!("{other}/{release}"),
    };
    images::image_id(region, &name)
}

/// Whether an account of a region finds an image of this id.
pub(crate) fn exists(region: &str, id: &str) -> bool {
    images::exists(region, id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_differ_by_region_kind_and_version() {
        let one = id("us-east-1", "AL2023_x86_64_STANDARD", "1.34");
        assert_eq!(one, id("us-east-1", "AL2023_x86_64_STANDARD", "1.34"));
        assert_ne!(one, id("us-east-1", "AL2023_x86_64_STANDARD", "1.35"));
        assert_ne!(one, id("us-east-2", "AL2023_x86_64_STANDARD", "1.34"));
        assert_ne!(one, id("us-east-1", "AL2023_ARM_64_STANDARD", "1.34"));
        assert_eq!(one.len(), 21);
    }
}
