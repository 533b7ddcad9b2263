//! From texts to functions: the layer's own modules, scripts, packages.

use std::rc::Rc;

use rquickjs::{Array, Ctx, Function, Object, Result};

use super::op;
use crate::embedded::host::Host;
use crate::embedded::sources::{compile, compile_internal, head_width};
use crate::embedded::value::Text;

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>, host: &Rc<Host>) -> Result<()> {
    let shared = Rc::clone(host);
    op!(
        native,
        ctx,
        "compileInternal",
        move |ctx: Ctx<'js>, name: Text| { compile_internal(&ctx, &shared, &name.0) }
    );
    let shared = Rc::clone(host);
    op!(native, ctx, "compileFunction", move |ctx: Ctx<'js>,
                                              body: Text,
                                              names: Array<'js>,
                                              file: Text,
                                              prefix: usize|
          -> Result<
        Function<'js>,
    > {
        let names: Vec<String> = names.iter().collect::<Result<_>>()?;
        let names = names.join(",");
        // What must be a body by itself may not close the function around it.
        if !file.0.is_empty() {
            let width = head_width(&names) + prefix;
            shared.prefixes.borrow_mut().insert(file.0.clone(), width);
        }
        compile(&ctx, &file.0, &names, &body.0)
    });
    Ok(())
}
