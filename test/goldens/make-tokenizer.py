"""Writes tokenizer.json: what transformers' BertTokenizer makes of tricky sentences. Run by hand: needs transformers.

The vocabularies are small, and made here; `cased` and `uncased` differ in their capital letters."""

import json
import tempfile
from pathlib import Path

from transformers import BertTokenizer

here = Path(__file__).parent
specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
letters = list("abcdefghijklmnopqrstuvwxyz0123456789")
words = """the a red car cars park ##ing ##ed plane s ' t don right most ##most upper left of naive cafe uber ss
harbor harbour un ##available ##able storage tank ##s 1 ##0 2 ##3 - – — . , ! ? ( ) [ ] # $ % & * + / : ; < = > @ \\ ^ _ ` { | } ~ "
湖 泊 日 本 ö é ı i ##̇ fi ﬁ ½ € ° × “ ” ’ … é strasse straße 한 국 ᄒ ##ᅡ ##ᆫ 😀 🛩 α ##β β""".split()
uncased = list(dict.fromkeys(specials + letters + ["##" + c for c in letters] + words))
cased = list(dict.fromkeys(uncased + ["The", "Red", "A", "C", "##C", "É", "Ö", "İ"]))

texts = [
    "The red car", "the red cars parking", "Upper-left storage tanks.", "don't", "plane's", "unavailable",
    "  spaced \t out\nlines\r\n ", "naïve café über", "nai\u0308ve cafe\u0301", "straße STRASSE", "湖泊 lake日本",
    "İstanbul ıi", "ﬁeld ½ €5 20° 3×4", "“quoted” ’tis…", "a\u00a0b\u3000c\u2003d", "zero\u200bwidth soft\u00adhyphen",
    "nul\u0000 bell\u0007 rep\ufffd del\u007f", "한국", "emoji 😀 plane 🛩️", "[SEP] in [MASK] text [CLS]", "[sep] [ SEP ]",
    "a" * 100, "a" * 101, "##ing", "x_y z^w a`b $5 <b> a=b ~c |", "αβ Αβ", "...", "1,000.50", "ÀÉÎ", "A.B.C.",
    "the\u2028line\u2029para\u0085next\u000bvt", "q" * 30, "\u202eright", "Ｆｕｌｌ width", "ａ", "㐀𠀀", "x\u0301\u0302y", "–—",
    "unknown ж ключ", "the [PAD] pad", "a \U000e0001 tag", "\ufeffbom",
]
out = {"texts": texts, "cases": {}}
for name, vocabulary in [("uncased", uncased), ("cased", cased)]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vocab.txt"
        path.write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
        tokenizer = BertTokenizer(str(path), do_lower_case=name == "uncased")
        ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        tokenizer.backend_tokenizer.save(str(Path(folder) / "tokenizer.json"))
        full = json.loads((Path(folder) / "tokenizer.json").read_text())
        out["cases"][name] = {"vocabulary": vocabulary, "ids": ids, "tokenizer": full if name == "uncased" else None}
(here / "tokenizer.json").write_text(json.dumps(out, ensure_ascii=True, separators=(",", ":")) + "\n")
