"""Give the trainer its captions as it reads them: an image folder with metadata.jsonl; then become the trainer.

    python with_metadata.py DATA FOLDER COMMAND...

DATA is flat: images, and next to each a .txt of the same stem with its caption. FOLDER is made anew each time.
"""

import json
import os
import shutil
import sys
from pathlib import Path

IMAGES = (".jpg", ".jpeg", ".png", ".webp")


def main() -> None:
    data, folder, command = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines = []
    for image in sorted(one for one in data.iterdir() if one.suffix.lower() in IMAGES):
        caption = image.with_suffix(".txt")
        text = caption.read_text(encoding="utf-8").strip() if caption.exists() else ""
        os.link(image, folder / image.name)
        lines.append(json.dumps({"file_name": image.name, "text": text}, ensure_ascii=False))
    (folder / "metadata.jsonl").write_text("\n".join([*lines, ""]), encoding="utf-8")
    print("captions of %d images written" % len(lines), flush=True)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
