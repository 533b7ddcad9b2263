//! URLs by the WHATWG's rules.

use rquickjs::function::Opt;
use rquickjs::{Ctx, Error, Object, Result, Value};
use url::{Url, quirks};

use super::op;
use crate::embedded::value::{Text, refuse};

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    op!(
        native,
        ctx,
        "urlParse",
        |ctx: Ctx<'js>, text: Text, base: Opt<Value<'js>>| {
            let base = base.0.filter(|base| !base.is_undefined());
            let url = match base.map(|base| base.get::<Text>()).transpose()? {
                Some(base) => Url::parse(&base.0).and_then(|base| base.join(&text.0)),
                None => Url::parse(&text.0),
            };
            record(&ctx, &url.map_err(|_| invalid(&ctx))?)
        }
    );
    op!(
        native,
        ctx,
        "urlSet",
        |ctx: Ctx<'js>, href: Text, member: Text, value: Text| {
            let mut url = Url::parse(&href.0).map_err(|_| invalid(&ctx))?;
            let to = value.0.as_str();
            // A value that does not fit leaves the URL as it is; only `href` must be one.
            let set = match member.0.as_str() {
                "href" => quirks::set_href(&mut url, to)
                    .map_err(|_| invalid(&ctx))
                    .map(|()| Ok(())),
                "protocol" => Ok(quirks::set_protocol(&mut url, to)),
                "username" => Ok(quirks::set_username(&mut url, to)),
                "password" => Ok(quirks::set_password(&mut url, to)),
                "host" => Ok(quirks::set_host(&mut url, to)),
                "hostname" => Ok(quirks::set_hostname(&mut url, to)),
                "port" => Ok(quirks::set_port(&mut url, to)),
                "pathname" => {
                    quirks::set_pathname(&mut url, to);
                    Ok(Ok(()))
                }
                "search" => {
                    quirks::set_search(&mut url, to);
                    Ok(Ok(()))
                }
                "hash" => {
                    quirks::set_hash(&mut url, to);
                    Ok(Ok(()))
                }
                _ => Err(invalid(&ctx)),
            };
            let _ = set?;
            record(&ctx, &url)
        }
    );
    op!(native, ctx, "domainToAscii", |text: Text| {
        quirks::domain_to_ascii(&text.0)
    });
    op!(native, ctx, "domainToUnicode", |text: Text| {
        quirks::domain_to_unicode(&text.0)
    });
    Ok(())
}

fn invalid(ctx: &Ctx<'_>) -> Error {
    refuse(ctx, "ERR_INVALID_URL", "Invalid URL")
}

fn record<'js>(ctx: &Ctx<'js>, url: &Url) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    object.set("href", quirks::href(url))?;
    object.set("protocol", quirks::protocol(url))?;
    object.set("username", quirks::username(url))?;
    object.set("password", quirks::password(url))?;
    object.set("host", quirks::host(url))?;
    object.set("hostname", quirks::hostname(url))?;
    object.set("port", quirks::port(url))?;
    object.set("pathname", quirks::pathname(url))?;
    object.set("search", quirks::search(url))?;
    object.set("hash", quirks::hash(url))?;
    object.set("origin", quirks::origin(url))?;
    Ok(object)
}
