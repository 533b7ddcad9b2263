//! Packages that scripts may require: bundles inside the binary, and the operator's own as
//! `NAME.js` in the modules folder (`@scope__x.js` for `@scope/x`). They are unpacked and compiled
//! when they are first required.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;

use flate2::read::DeflateDecoder;
use rquickjs::{Array, Ctx, Exception, Function, Object, Result};
use serde::Deserialize;

use super::op;
use crate::embedded::host::Host;
use crate::embedded::sources::{BUNDLES, INDEX, compile};
use crate::embedded::value::Text;

/// The longest bundle of an operator's that is read, in bytes.
const LONGEST: u64 = 16 << 20;
/// What stands for an operator's bundle in a file name given to JavaScript.
const OWN: &str = "modules/";

#[derive(Deserialize)]
struct Shipped {
    name: String,
    version: String,
    file: String,
}

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    let shared = Rc::clone(host);
    op!(native, ctx, "packageNames", move |ctx: Ctx<'js>| names(
        &ctx, &shared
    ));
    let shared = Rc::clone(host);
    op!(native, ctx, "compilePackage", move |ctx: Ctx<'js>,
                                             file: Text|
          -> Result<
        Function<'js>,
    > {
        let text = source(&ctx, &shared, &file.0)?;
        let names = "exports, require, module, __filename, __dirname";
        // With a folder in its name, no place inside is taken for one in the script.
        compile(&ctx, &format!("node_modules/{}", file.0), names, &text)
    });
    Ok(())
}

fn names<'js>(ctx: &Ctx<'js>, host: &Host) -> Result<Array<'js>> {
    let list = Array::new(ctx.clone())?;
    let add = |name: &str, version: &str, file: &str, shipped: bool| -> Result<()> {
        let entry = Object::new(ctx.clone())?;
        entry.set("name", name)?;
        entry.set("version", version)?;
        entry.set("file", file)?;
        entry.set("shipped", shipped)?;
        list.set(list.len(), entry)
    };
    let index: Vec<Shipped> = serde_json::from_str(INDEX)
        .map_err(|error| Exception::throw_message(ctx, &error.to_string()))?;
    for package in index {
        add(&package.name, &package.version, &package.file, true)?;
    }
    let modules = host.modules.borrow();
    for name in modules.as_deref().map(own_names).unwrap_or_default() {
        add(
            &name.replace("__", "/"),
            "",
            &format!("{OWN}{name}.js"),
            false,
        )?;
    }
    Ok(list)
}

/// The names of an operator's bundles, in order. A folder that cannot be read has none.
fn own_names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|file| file.strip_suffix(".js").map(str::to_owned))
        .collect();
    names.sort();
    names
}

fn source(ctx: &Ctx<'_>, host: &Host, file: &str) -> Result<String> {
    let text = match file.strip_prefix(OWN) {
        Some(own) => own_source(host, own),
        None => shipped_source(file),
    };
    text.ok_or_else(|| Exception::throw_message(ctx, &format!("Cannot read package '{file}'")))
}

fn own_source(host: &Host, file: &str) -> Option<String> {
    if file.contains(['/', '\\']) {
        return None;
    }
    let path = host.modules.borrow().as_ref()?.join(file);
    let mut text = String::new();
    let file = fs::File::open(path).ok()?;
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Name, version, licence and its text of every npm package that is in the bundles.
pub fn licenses() -> Option<String> {
    shipped_source("LICENSES.txt")
}

fn shipped_source(file: &str) -> Option<String> {
    let (_, packed) = BUNDLES.iter().find(|(known, _)| *known == file)?;
    let mut text = String::new();
    DeflateDecoder::new(*packed)
        .read_to_string(&mut text)
        .ok()?;
    Some(text)
}
