//! Images.

use std::collections::BTreeSet;

use pmks_model::Image;
use serde_json::{Value, json};

use super::super::shapes;
use super::{UNTOLD, first_of, number, one};
use crate::call::{Answer, Call};
use crate::reply::Reply;

pub(in crate::routes) async fn list(call: Call) -> Answer {
    let connection = call.connection()?;
    let found = call.pmks().discovery().images(&connection, None).await?;
    Ok(Reply::list("image", image_infos(&found.items)))
}

pub(in crate::routes) async fn get(call: Call) -> Answer {
    let connection = call.connection()?;
    let found = call.pmks().discovery().images(&connection, None).await?;
    let named: Vec<Image> = found.items.into_iter().filter(|item| item.name == call.named(0)).collect();
    one(image_infos(&named).pop(), "VM Image", &call)
}

/// Each image once, for its name is its identifier. Where a cloud offers one for several architectures, or for that of
/// whatever machine it is taken for, the machine type says which it is, and the image has CB-Spider's word for that.
///
/// Source: <https://github.com/cloud-barista/cb-spider/blob/master/cloud-control-manager/cloud-driver/interfaces/resources/ImageHandler.go>,
/// `ArchitectureNA`
fn image_infos(images: &[Image]) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let first = images.iter().filter(|image| seen.insert(image.name.as_str()));
    first
        .map(|image| {
            let mut same = images.iter().filter(|other| other.name == image.name);
            let is_one =
                !image.architecture.is_empty() && same.all(|other| other.architecture == image.architecture);
            image_info(image, if is_one { &image.architecture } else { UNTOLD })
        })
        .collect()
}

fn image_info(image: &Image, architecture: &str) -> Value {
    json!({
        "IId": shapes::pair(&image.name, &image.name),
        "Name": image.name,
        "OSArchitecture": architecture,
        "OSPlatform": if image.operating_system == "windows" { "Windows" } else { "Linux/UNIX" },
        "OSDistribution": image.description,
        "OSDiskType": first_of(&image.disk_type, UNTOLD),
        "OSDiskSizeGB": number(image.disk_size_gib),
        "ImageStatus": "Available",
        "KeyValueList": [],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_of_several_architectures_is_told_once() {
        let image = |name: &str, architecture: &str| Image {
            name: name.to_owned(),
            architecture: architecture.to_owned(),
            ..Image::default()
        };
        let all = [image("both", "arm64"), image("one", "x86_64"), image("both", "x86_64"), image("any", "")];
        let told: Vec<_> = image_infos(&all)
            .into_iter()
            .map(|told| [told["IId"]["SystemId"].clone(), told["OSArchitecture"].clone()])
            .collect();
        assert_eq!(told, [["both", "NA"], ["one", "x86_64"], ["any", "NA"]]);
    }

    #[test]
    fn what_the_cloud_does_not_tell_is_not_made_up() {
        let shown = image_info(&Image { name: "i".to_owned(), ..Image::default() }, UNTOLD);
        assert_eq!(
            (&shown["Name"], &shown["OSDiskType"], &shown["OSDiskSizeGB"]),
            (&json!("i"), &json!("NA"), &json!("-1"))
        );
    }
}
