//! Provider ids, normalised as OpenClaw 2026.4.24 does.

/// The id under which OpenClaw keeps a provider: trimmed, lower case, and with its
/// former names mapped to the present one.
pub fn normalize_provider_id(provider: &str) -> String {
    let id = provider.trim().to_lowercase();
    let present = match id.as_str() {
        "modelstudio" | "qwencloud" => "qwen",
        "z.ai" | "z-ai" => "zai",
        "opencode-zen" => "opencode",
        "opencode-go-auth" => "opencode-go",
        "kimi-code" | "kimi-coding" => "kimi",
        "bedrock" | "aws-bedrock" => "amazon-bedrock",
        "bytedance" | "doubao" => "volcengine",
        _ => return id,
    };
    present.to_owned()
}

#[cfg(test)]
mod tests {
    use super::normalize_provider_id;

    #[test]
    fn former_names_map_to_the_present_one() {
        for (given, id) in [
            ("OpenAI", "openai"),
            (" Z.AI ", "zai"),
            ("qwencloud", "qwen"),
            ("opencode-zen", "opencode"),
            ("kimi-coding", "kimi"),
            ("aws-bedrock", "amazon-bedrock"),
            ("doubao", "volcengine"),
            ("openai-codex", "openai-codex"),
            ("", ""),
        ] {
            assert_eq!(normalize_provider_id(given), id, "{given}");
        }
    }
}
