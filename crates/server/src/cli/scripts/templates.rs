//! `ferry scripts new`: the starter scripts of `templates/`, carried in the program.
//!
//! Never writes over a file.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A folder of `templates/`: its name, and its files by name and text.
struct Template {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
}

macro_rules! template {
    ($name:literal: $($script:literal)*) => {
        Template {
            name: $name,
            files: &[
                $(template!(file $name, concat!($script, ".js")),)*
                template!(file $name, "fixtures.json"),
                template!(file $name, "template.json"),
            ],
        }
    };
    (file $name:literal, $file:expr) => {
        (
            $file,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/", $name, "/", $file)),
        )
    };
}

macro_rules! all_seven {
    ($name:literal) => {
        template!($name: "login" "get_user" "create" "verify" "change_password" "change_email" "delete")
    };
}

const TEMPLATES: &[Template] = &[
    all_seven!("postgres"),
    all_seven!("mysql"),
    all_seven!("sqlserver"),
    all_seven!("mongodb"),
    all_seven!("http"),
    template!("ldap": "login" "get_user"),
    template!("wordpress": "login" "get_user"),
    template!("django": "login" "get_user"),
    template!("aspnet-identity": "login" "get_user"),
    template!("devise": "login" "get_user"),
];

/// `template.json`, as far as a person starting wants to know it.
#[derive(Deserialize)]
struct About {
    r#for: String,
    configuration: Vec<Setting>,
}

/// One setting of the scripts.
#[derive(Deserialize)]
struct Setting {
    name: String,
    required: bool,
    meaning: String,
    example: String,
}

impl Template {
    fn about(&self) -> Result<About> {
        let text = self.files.iter().find(|(name, _)| *name == "template.json");
        let text = text.context("a template without template.json")?.1;
        Ok(serde_json::from_str(text)?)
    }
}

pub(super) fn run(name: Option<&str>, folder: Option<PathBuf>) -> Result<ExitCode> {
    let Some(name) = name else {
        for template in TEMPLATES {
            println!("{:<16} {}", template.name, template.about()?.r#for);
        }
        println!("\nferry scripts new --template NAME writes one of them into a folder.");
        return Ok(ExitCode::SUCCESS);
    };
    let template = TEMPLATES.iter().find(|template| template.name == name);
    let template = template.with_context(|| {
        format!("there is no template {name}; `ferry scripts new` prints what there is")
    })?;
    let about = template.about()?;
    let folder = folder.unwrap_or_else(|| PathBuf::from(name));
    write(template, &about, &folder)?;
    print_next_steps(template, &about, &folder);
    Ok(ExitCode::SUCCESS)
}

/// Writes all files, or none when one of them is there.
fn write(template: &Template, about: &About, folder: &Path) -> Result<()> {
    let example = example(about)?;
    let files = template.files.iter().copied();
    let files: Vec<_> = files.chain([(EXAMPLE, example.as_str())]).collect();
    for (file, _) in &files {
        let path = folder.join(file);
        if path.try_exists()? {
            bail!("{} is there already; nothing was written", path.display());
        }
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("the folder {} could not be made", folder.display()))?;
    for (file, text) in files {
        let path = folder.join(file);
        File::create_new(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("{} can't be written", path.display()))?;
    }
    Ok(())
}

const EXAMPLE: &str = "configuration.example.json";

/// The settings that must be there, with examples as values.
fn example(about: &About) -> Result<String> {
    let required = about
        .configuration
        .iter()
        .filter(|setting| setting.required);
    let members: Map<String, Value> = required
        .map(|setting| (setting.name.clone(), setting.example.as_str().into()))
        .collect();
    Ok(serde_json::to_string_pretty(&members)? + "\n")
}

fn print_next_steps(template: &Template, about: &About, folder: &Path) {
    let folder = folder.display();
    println!("Written to {folder}:");
    for (file, _) in template.files {
        println!("  {file}");
    }
    println!("  {EXAMPLE}");
    println!("\n1. Adapt the query at the top of the scripts, if your store differs.");
    println!("2. Copy {EXAMPLE} to configuration.json and fill it in. \"$NAME\" is the");
    println!("   environment variable NAME, for what should not lie in a file.");
    for setting in &about.configuration {
        let need = if setting.required {
            "required"
        } else {
            "optional"
        };
        println!("     {:<20} {need}: {}", setting.name, setting.meaning);
    }
    println!("3. Put people of your own store into fixtures.json, and try:");
    println!("     ferry scripts test {folder}");
    println!("4. Make a connection with them (README.md, step 3), then ask about one person:");
    println!("     ferry scripts try CONNECTION get_user --email somebody@example.org");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_every_template_is_carried() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = here.ancestors().nth(2).unwrap().join("templates");
        let entries = std::fs::read_dir(&folder).unwrap();
        let entries = entries.map(|entry| entry.unwrap().path());
        for path in entries.filter(|path| path.is_dir()) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let template = TEMPLATES.iter().find(|template| template.name == name);
            let template = template.unwrap_or_else(|| panic!("{name} is not carried"));
            let mut there: Vec<_> = std::fs::read_dir(&path)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            let mut carried: Vec<_> = template.files.iter().map(|(file, _)| *file).collect();
            there.sort();
            carried.sort_unstable();
            assert_eq!(carried, there, "{name}");
            template.about().unwrap();
        }
    }
}
