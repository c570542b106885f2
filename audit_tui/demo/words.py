"""The names that the demo account draws from."""

from __future__ import annotations

FIRST_NAMES = (
    "alice", "bob", "alina", "carlos", "mei", "jonas", "fatima", "liam", "priya", "tomas", "noor", "emma",
    "kofi", "yuki", "lena", "omar", "sofia", "ravi", "hannah", "diego", "aisha", "marek", "chloe", "amir",
    "ingrid", "samuel", "zoe", "hugo", "leila", "max", "nina", "arjun", "clara", "felix", "grace", "ivan",
    "julia", "kenji", "laura", "miguel", "nadia", "oscar", "petra", "quentin", "rosa", "stefan", "tara",
    "umar", "vera", "wei", "xenia", "yusuf", "zara", "anton", "bianca", "cyril", "daria", "erik", "flora",
    "gavin", "helga", "ines", "jakub", "karin",
)  # fmt: skip
LAST_NAMES = (
    "abbott", "becker", "costa", "dubois", "eriksen", "fischer", "garcia", "haddad", "ito", "jansen",
    "kaya", "larsen", "moreau", "novak", "okafor", "patel", "quinn", "rossi", "schmidt", "tanaka", "ueda",
    "vargas", "weber", "xu", "yilmaz", "zhang", "adeyemi", "bauer", "chen", "dias", "elmasri", "ferrari",
    "gruber", "hansen", "ivanova", "jung", "klein", "lopez", "meyer", "nguyen", "ortiz", "petrov",
    "ramos", "silva", "torres", "ulrich", "vogel", "wagner", "yang", "zimmer", "aalto", "brandt", "cohen",
    "dvorak", "ebert", "franke",
)  # fmt: skip

BASE_MODELS = (
    "llama-3-8b", "llama-3-70b", "mistral-7b", "mixtral-8x7b", "qwen2-72b", "gemma-2-9b", "phi-3-mini",
    "falcon-40b", "deepseek-33b", "yi-34b", "starcoder-15b", "bloomz-7b",
)  # fmt: skip
EXTERNAL_MODELS = (
    "gpt-4o",
    "gpt-4o-mini",
    "claude-sonnet",
    "claude-haiku",
    "gemini-pro",
    "command-r",
    "sonar",
)
REGIONS = ("eu", "us", "ap")
PARTS = ("Europe", "Americas", "Asia")
TEAMS = ("chat", "search", "voice", "mail")
HARDWARE = ("A100 80GB", "H100 80GB", "L40S 48GB", "A10G 24GB", "T4 16GB")
TRAINING_METHODS = ("LoRA", "QLoRA", "Full", "DPO")

AGENT_SUBJECTS = (
    "Invoice", "Refund", "Onboarding", "Contract", "Travel", "Support", "Release notes", "Incident",
    "Pricing", "Inventory", "Hiring", "Survey", "Compliance", "Translation", "Ticket",
)  # fmt: skip
AGENT_DUTIES = ("helper", "triage", "checker", "summariser", "router", "drafts", "lookup")

EXPERIMENT_SUBJECTS = (
    "Refund tone", "Invoice fields", "Long context", "Few-shot labels", "Summary length", "Tool calls",
    "Cold start", "Rerank", "Prompt caching", "Multilingual FAQ", "Escalation wording", "Chunk size",
    "Hallucination rate", "JSON output", "Latency",
)  # fmt: skip
EXPERIMENT_KINDS = ("baseline", "A/B", "sweep", "replay", "ablation")

DATASET_SUBJECTS = (
    "tickets", "invoices", "chat-logs", "faq", "contracts", "reviews", "call-notes", "product-catalogue",
    "support-mails", "labels", "eval-set", "red-team-prompts",
)  # fmt: skip
FILE_TYPES = ("csv", "csv", "csv", "jsonl", "jsonl", "jsonl", "parquet", "tsv")

INTEGRATIONS = (
    ("Slack", ("ml-alerts", "support", "releases", "security")),
    ("GitHub", ("acme/agents", "acme/prompts", "acme/infra")),
    ("S3", ("acme-training", "acme-exports", "acme-backups")),
    ("Snowflake", ("analytics", "finance")),
    ("Jira", ("PLAT", "CARE", "SEC")),
    ("PagerDuty", ("ml-oncall", "platform")),
    ("Datadog", ("production", "staging")),
    ("Google Drive", ("Contracts", "Playbooks")),
    ("Weights & Biases", ("acme-research",)),
)

GUARDRAILS = (
    "PII redaction", "Prompt injection", "Secrets filter", "Toxicity", "Topic limits", "Copyright check",
    "Source citation", "Code execution", "Medical advice", "Competitor mentions",
)  # fmt: skip

CUSTOM_ROLES = (
    "Data steward", "Billing auditor", "Prompt editor", "Agent operator", "Model reviewer", "Key manager",
    "Red team", "Support lead", "Release manager", "Trainee", "Partner", "Evaluation",
)  # fmt: skip
SYSTEM_ROLES = ("Admin", "Developer", "Analyst", "Viewer")

CITIES = ("Lisbon", "Paris", "Vienna", "Toronto", "Austin", "Tokyo", "Dubai", "Oslo", "Milan", "Sydney")

UNKNOWN_ACCOUNTS = (
    "root@acme.io", "admin@acme.io", "test@acme.io", "administrator@acme.io", "info@acme.io",
    "backup@acme.io", "oracle@acme.io", "user@acme.io", "' OR 1=1 --", "<script>alert(1)</script>",
)  # fmt: skip

# What a log must survive, in names that somebody could type: markup, an escape sequence that would clear
# the screen and set the clipboard, a right-to-left override, combining marks, wide and zero-width letters.
ODD_NAMES = (
    "[bold]Q3 pricing[/bold]",
    "[/] untitled",
    "clear\x1b[2J\x1b]52;c;cm0gLXJm\x07me",
    "notes\u202efdp.exe",
    "Z\u0351\u034f\u0321a\u0322lgo test",
    "東京 レビュー 🧪",
    "zero\u200bwidth",
    "tabs\tand\nlines",
)
