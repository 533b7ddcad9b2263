use super::*;
#[test]
fn origin_and_host_of_the_issuer() {
    for (text, origin, host) in [
        (
            "https://id.example.com/",
            "https://id.example.com",
            "id.example.com",
        ),
        (
            "https://id.example.com:8443/a/",
            "https://id.example.com:8443",
            "id.example.com",
        ),
        (
            "http://localhost:8080",
            "http://localhost:8080",
            "localhost",
        ),
    ] {
        let issuer = Issuer::parse(text).unwrap();
        assert_eq!((origin_of(&issuer), host_of(&issuer)), (origin, host));
    }
}
