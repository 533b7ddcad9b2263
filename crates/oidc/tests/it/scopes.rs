use oidc::Scopes;
use proptest::prelude::*;

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}

#[test]
fn a_set_keeps_its_order_and_no_scope_twice() {
    assert_eq!(
        scopes(" openid  profile openid ").to_string(),
        "openid profile"
    );
    assert_eq!(scopes("").to_string(), "");
    assert!(scopes("Email").contains("Email"));
    assert!(!scopes("Email").contains("email"));
    for bad in ["a\tb", "a\"b", "a\\b", "é", "a\nb", "a\0"] {
        assert!(Scopes::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn an_intersection_keeps_the_order_of_the_first() {
    let granted = scopes("read:users write:users openid");
    assert_eq!(
        scopes("openid read:users x")
            .intersect(&granted)
            .to_string(),
        "openid read:users"
    );
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same(text in "[ !#-\\[\\]-~]{0,60}") {
        let once = scopes(&text);
        prop_assert_eq!(&scopes(&once.to_string()), &once);
        prop_assert_eq!(&once.iter().collect::<Scopes>(), &once);
        prop_assert_eq!(&once.intersect(&once), &once);
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        drop(Scopes::parse(&text));
    }
}
