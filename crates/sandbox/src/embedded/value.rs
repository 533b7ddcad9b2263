//! Values on their way in and out of JavaScript: texts, which may hold half a character there, and
//! bytes, whose memory this crate may not touch (it is free of unsafe code): bytes come out through
//! the engine's own base64, which costs about a nanosecond each.

use std::cell::RefCell;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rquickjs::function::This;
use rquickjs::{
    Ctx, Error, Exception, FromJs, Function, IntoJs, Object, Persistent, Result,
    String as JsString, TypedArray, Value,
};

thread_local! {
    /// What guest code must not be able to replace under us; one engine per thread.
    static CAPTURED: RefCell<Option<Captured>> = const { RefCell::new(None) };
}

#[derive(Clone)]
struct Captured {
    to_base64: Persistent<Function<'static>>,
    well_formed: Persistent<Function<'static>>,
}

/// Takes hold of the functions that conversions need, before the first script is read.
pub fn capture(ctx: &Ctx<'_>) -> Result<()> {
    let prototype = |name: &str| -> Result<Object<'_>> {
        ctx.globals().get::<_, Object<'_>>(name)?.get("prototype")
    };
    let to_base64: Function<'_> = prototype("Uint8Array")?.get("toBase64")?;
    let well_formed: Function<'_> = prototype("String")?.get("toWellFormed")?;
    let captured = Captured {
        to_base64: Persistent::save(ctx, to_base64),
        well_formed: Persistent::save(ctx, well_formed),
    };
    CAPTURED.set(Some(captured));
    Ok(())
}

/// Lets go of the captured functions: nothing may outlive the engine.
pub fn release() {
    CAPTURED.take();
}

fn captured() -> Result<Captured> {
    CAPTURED.with_borrow(Clone::clone).ok_or(Error::Unknown)
}

/// A text; half characters become U+FFFD.
pub struct Text(pub String);

impl<'js> FromJs<'js> for Text {
    fn from_js(ctx: &Ctx<'js>, value: Value<'js>) -> Result<Self> {
        let Some(text) = value.into_string() else {
            return Err(Exception::throw_type(ctx, "a text is expected"));
        };
        text_of(ctx, text).map(Self)
    }
}

fn text_of<'js>(ctx: &Ctx<'js>, text: JsString<'js>) -> Result<String> {
    match text.to_string() {
        Ok(text) => Ok(text),
        Err(Error::Utf8(_)) => {
            let whole = captured()?.well_formed.restore(ctx)?;
            whole.call::<_, JsString<'js>>((This(text),))?.to_string()
        }
        // The engine had no memory for the copy.
        Err(Error::Unknown) => Err(Error::Exception),
        Err(error) => Err(error),
    }
}

/// Bytes of a `Uint8Array`, copied.
pub struct Bytes(pub Vec<u8>);

impl<'js> FromJs<'js> for Bytes {
    fn from_js(ctx: &Ctx<'js>, value: Value<'js>) -> Result<Self> {
        if value.is_string() {
            return Text::from_js(ctx, value).map(|text| Self(text.0.into_bytes()));
        }
        let encode = captured()?.to_base64.restore(ctx)?;
        let text: JsString<'js> = encode.call((This(value),))?;
        let text = text.to_cstring()?;
        BASE64_STANDARD
            .decode(text.as_str())
            .map(Self)
            .map_err(|_| Error::Unknown)
    }
}

impl<'js> IntoJs<'js> for Bytes {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        // A copy inside the engine: only that counts towards its memory limit.
        TypedArray::<u8>::new_copy(ctx.clone(), self.0).map(TypedArray::into_value)
    }
}

/// A member of an options object; absent, `null` and `undefined` are the same.
pub fn member<'js, T: FromJs<'js>>(options: &Object<'js>, name: &str) -> Result<Option<T>> {
    let value: Value<'js> = options.get(name)?;
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    T::from_js(options.ctx(), value).map(Some)
}

/// Throws an `Error` with a `code`.
pub fn refuse(ctx: &Ctx<'_>, code: &str, message: &str) -> Error {
    match Exception::from_message(ctx.clone(), message) {
        Ok(exception) => match exception.as_object().set("code", code) {
            Ok(()) => exception.throw(),
            Err(error) => error,
        },
        Err(error) => error,
    }
}

/// Refuses one operation too many.
pub fn too_busy(ctx: &Ctx<'_>) -> Error {
    refuse(ctx, "EAGAIN", "too many operations are under way")
}

/// What an operation reports to a callback: JavaScript makes an `Error` of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub code: &'static str,
    pub syscall: &'static str,
    pub message: String,
    pub address: Option<Box<str>>,
    pub port: Option<u16>,
    pub hostname: Option<Box<str>>,
    /// The failures of the single addresses, where several were tried.
    pub errors: Vec<Report>,
}

impl Report {
    /// A report without an address.
    pub fn new(code: &'static str, syscall: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            syscall,
            message: message.into(),
            ..Self::default()
        }
    }
}

impl<'js> IntoJs<'js> for Report {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let object = Object::new(ctx.clone())?;
        object.set("code", self.code)?;
        object.set("syscall", self.syscall)?;
        object.set("message", self.message)?;
        if let Some(address) = self.address {
            object.set("address", address.as_ref())?;
        }
        if let Some(port) = self.port {
            object.set("port", port)?;
        }
        if let Some(hostname) = self.hostname {
            object.set("hostname", hostname.as_ref())?;
        }
        if !self.errors.is_empty() {
            object.set("errors", self.errors)?;
        }
        Ok(object.into_value())
    }
}

/// `undefined`.
pub struct Nothing;

impl<'js> IntoJs<'js> for Nothing {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        Ok(Value::new_undefined(ctx.clone()))
    }
}
