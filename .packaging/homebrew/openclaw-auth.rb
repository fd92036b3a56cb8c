class OpenclawAuth < Formula
  desc "Owns the logins of AI subscriptions: sign in once, hand out fresh tokens"
  homepage "@REPOSITORY@"
  version "@VERSION@"
  license "MIT"

@PLATFORMS@
  def install
    bin.install "openclaw-auth"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/openclaw-auth.bash" => "openclaw-auth"
    fish_completion.install "completions/openclaw-auth.fish"
    zsh_completion.install "completions/_openclaw-auth"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/openclaw-auth --version")
  end
end
