//! Why a TLS server is not trusted, in the codes that scripts know from Node.
