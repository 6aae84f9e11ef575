//! Private keys that are printed where everyone reads them, by their thumbprints (RFC 7638).

const PRINTED: [(&str, &str); 7] = [
    ("IsUn6_e04MaShXFIISMp4kG62LWzMIPy_MvSA5pJgX8", "RFC 7515"),
    ("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U", "RFC 7515"),
    ("9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI", "RFC 7520"),
    ("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "RFC 8037"),
    ("19J8y7Zprt2-QKLjF2I5pVk0OELX6cY2AfaAv1LC_w8", "jwt.io"),
    ("oGDmHqCJ7yzMkWEkrlZVHkvrHIyQwtlDmeq5ForUHeY", "jwt.io"),
    (
        "3YZxBJ12jO3n_mXt_q-j_Z-TFP1vt-NiI3OCf-fEnHQ",
        "this crate's documentation",
    ),
];

/// Where the private key of this thumbprint is printed; `None` for a key that is not known.
pub(super) fn printed_in(thumbprint: &str) -> Option<&'static str> {
    let mut printed = PRINTED.into_iter();
    printed.find_map(|(known, place)| (known == thumbprint).then_some(place))
}
