//! What every template must have beside its scripts.

use std::collections::BTreeSet;

use script::ScriptName;
use serde_json::Value;

use crate::rig::templates;

const NAMES: [&str; 10] = [
    "aspnet-identity",
    "devise",
    "django",
    "http",
    "ldap",
    "mongodb",
    "mysql",
    "postgres",
    "sqlserver",
    "wordpress",
];

/// The words that follow `marker` in a script, as far as they are a name.
fn named<'a>(script: &'a str, marker: &'a str, is_name: fn(char) -> bool) -> Vec<&'a str> {
    let after = script.split(marker).skip(1);
    after
        .map(|rest| rest.split(|letter| !is_name(letter)).next().unwrap())
        .collect()
}

fn texts(value: &Value) -> BTreeSet<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect()
}

#[test]
fn every_setting_and_package_of_a_template_is_described() {
    let is_setting = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    let is_package = |letter: char| letter.is_ascii_alphanumeric() || "-/@".contains(letter);
    for name in NAMES {
        let folder = templates().join(name);
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        let template: Value = serde_json::from_str(&read("template.json")).unwrap();
        let (mut settings, mut packages) = (BTreeSet::new(), BTreeSet::new());
        let scripts: Vec<(String, String)> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|file| file.rsplit_once('.').is_some_and(|(_, end)| end == "js"))
            .map(|file| (read(&file), file))
            .collect();
        for (script, file) in &scripts {
            assert!(
                ScriptName::parse(file.trim_end_matches(".js")).is_some(),
                "{file}"
            );
            assert!(script.len() < script::SCRIPT_BYTES);
            settings.extend(named(script, "configuration.", is_setting));
            packages.extend(named(script, "require('", is_package));
        }
        let described: BTreeSet<&str> = template["configuration"]
            .as_array()
            .unwrap()
            .iter()
            .map(|setting| {
                assert!(!setting["meaning"].as_str().unwrap().is_empty());
                assert!(setting["example"].is_string(), "{name}: {setting}");
                assert!(setting["required"].is_boolean(), "{name}: {setting}");
                setting["name"].as_str().unwrap()
            })
            .collect();
        assert_eq!(settings, described, "{name}");
        packages.remove("ferry/password");
        assert_eq!(packages, texts(&template["packages"]), "{name}");
        for member in ["title", "for"] {
            assert!(
                template[member].as_str().unwrap().len() > 5,
                "{name}: {member}"
            );
        }
        let fixtures: Value = serde_json::from_str(&read("fixtures.json")).unwrap();
        let fixtures = fixtures.as_array().unwrap();
        for fixture in fixtures {
            let script = fixture["script"].as_str().unwrap();
            assert!(
                folder.join(format!("{script}.js")).exists(),
                "{name}: {script}"
            );
            assert!(fixture["args"].is_array());
            assert!(fixture["expect"]["outcome"].is_string());
        }
        assert!(fixtures.len() >= 3, "{name}");
    }
    let folders = std::fs::read_dir(templates())
        .unwrap()
        .map(|entry| entry.unwrap());
    let folders = folders.filter(|entry| entry.path().join("login.js").exists());
    assert_eq!(folders.count(), NAMES.len());
}
