//! The texts of the layer's own modules, compiled when they are first required.

use std::borrow::Cow;
use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::{Ctx, Exception, Function, Object, Result, Value};

use super::host::Host;

include!(concat!(env!("OUT_DIR"), "/packed.rs"));

/// Runs `runner.js`; gives its exports.
pub fn run_runner<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    host: &Rc<Host>,
) -> Result<Object<'js>> {
    let run = compile_internal(ctx, host, "runner")?;
    let exports = Object::new(ctx.clone())?;
    let nothing = Value::new_undefined(ctx.clone());
    run.call::<_, ()>((
        exports.clone(),
        nothing.clone(),
        nothing.clone(),
        native.clone(),
        nothing,
    ))?;
    Ok(exports)
}

/// An internal module as `(exports, require, module, native, primordials) => …`.
pub fn compile_internal<'js>(ctx: &Ctx<'js>, host: &Host, name: &str) -> Result<Function<'js>> {
    let Some(text) = internal(host, name) else {
        let message = format!("Cannot find internal module '{name}'");
        return Err(Exception::throw_message(ctx, &message));
    };
    let head = "exports, require, module, native, primordials";
    compile(ctx, &format!("node:internal/{name}"), head, &text)
}

fn internal(host: &Host, name: &str) -> Option<Cow<'static, str>> {
    if let Some(folder) = &host.sources {
        let files = [
            format!("embedded/{name}.js"),
            format!("shared/{name}.js"),
            format!("node/{name}.cjs"),
        ];
        let text = |file| std::fs::read_to_string(folder.join(file)).ok();
        return files.iter().find_map(text).map(Cow::Owned);
    }
    let found = MODULES.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| Cow::Borrowed(*text))
}

/// A function from its parameters and body, in the sloppy mode that old packages need.
pub fn compile<'js>(ctx: &Ctx<'js>, file: &str, names: &str, body: &str) -> Result<Function<'js>> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(file.to_owned());
    ctx.eval_with_options(format!("{}{body}\n}})", head(names)), options)
}

fn head(names: &str) -> String {
    format!("(function ({names}) {{")
}

/// How much [`compile`] puts before the first line.
pub fn head_width(names: &str) -> usize {
    head(names).chars().count()
}
