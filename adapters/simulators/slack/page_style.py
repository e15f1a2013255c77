"""How Slack looks, near enough: colours for light and dark, and sizes as in its desktop window."""

STYLE = """
:root{--bg:#fff;--fg:#1d1c1d;--soft:#616061;--line:#dddddd;--hover:#f8f8f8;--link:#1264a3;--code:#c01343;
--codebg:#f6f6f6;--primary:#007a5a;--danger:#e01e5a;--mention:#e8f5fa;--all:#fff1cc;--card:#fff;--scrim:#8d8d8d;
--private:#f8f8f8;--error:#e01e5a}
@media(prefers-color-scheme:dark){:root:not([data-theme=light]){--bg:#1a1d21;--fg:#d1d2d3;--soft:#ababad;
--line:#35373b;--hover:#222529;--link:#1d9bd1;--code:#e8912d;--codebg:#232529;--primary:#007a5a;--danger:#e01e5a;
--mention:#1d3b4a;--all:#574a23;--card:#222529;--scrim:#0c0d0f;--private:#212428;--error:#f2668b}}
:root[data-theme=dark]{--bg:#1a1d21;--fg:#d1d2d3;--soft:#ababad;--line:#35373b;--hover:#222529;--link:#1d9bd1;
--code:#e8912d;--codebg:#232529;--mention:#1d3b4a;--all:#574a23;--card:#222529;--scrim:#0c0d0f;--private:#212428;
--error:#f2668b}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.46668 Lato,"Noto Sans","DejaVu Sans",Arial,sans-serif}
header.top{padding:12px 20px;border-bottom:1px solid var(--line);font-weight:900;font-size:18px}
header.top small{font-weight:400;color:var(--soft);font-size:13px;margin-left:8px}
main{max-width:760px;padding:8px 0 32px}
.message{display:flex;gap:8px;padding:8px 20px}
.message.reply{padding-left:64px}
.message.private{background:var(--private)}
.avatar{flex:none;width:36px;
height:36px;border-radius:8px;color:#fff;font-weight:900;text-align:center;line-height:36px}
.body{min-width:0;flex:1}
.who b{font-weight:900}.who .app{background:var(--line);color:var(--soft);font-size:10px;font-weight:700;
padding:1px 3px;
border-radius:2px;margin:0 4px;vertical-align:1px}.who time,.edited{color:var(--soft);font-size:12px;margin-left:4px}
.eye{color:var(--soft);font-size:13px}
.thread{color:var(--link);font-size:13px;font-weight:700;margin-top:4px}
.block{margin:4px 0 8px;overflow-wrap:anywhere}
.header{font-size:18px;font-weight:900;margin:8px 0 4px}
.context{display:flex;flex-wrap:wrap;gap:4px 8px;color:var(--soft);font-size:13px;align-items:center}
.context img{width:20px;height:20px;border-radius:2px}
.section{display:flex;gap:16px}.section>div:first-child{flex:1;min-width:0}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:8px 16px;margin-top:4px}
.actions{display:flex;flex-wrap:wrap;gap:8px}
hr{border:0;border-top:1px solid var(--line);margin:16px 0}
button,.select{font:inherit;font-weight:700;border:1px solid #80808080;border-radius:8px;padding:0 12px;height:36px;
background:var(--bg);color:var(--fg);white-space:nowrap}
.message button,.message .select{font-size:13px;height:28px;border-radius:6px}
button.primary{background:var(--primary);border-color:var(--primary);color:#fff}
button.danger{background:var(--danger);border-color:var(--danger);color:#fff}
button .confirm{opacity:.7;font-weight:400}
.select{display:inline-flex;align-items:center;gap:24px;font-weight:400}.select::after{content:"⌄";margin-top:-6px}
code{font:12px/1.5 "DejaVu Sans Mono",monospace;color:var(--code);background:var(--codebg);border:1px solid var(--line);
border-radius:3px;padding:2px 3px 1px}
pre{font:12px/1.5 "DejaVu Sans Mono",monospace;background:var(--codebg);border:1px solid var(--line);border-radius:4px;
padding:8px;margin:4px 0;overflow-x:auto;white-space:pre}
.quote,blockquote{display:block;border-left:4px solid var(--line);padding-left:12px;margin:0}
.mention{background:var(--mention);color:var(--link);border-radius:3px;padding:0 2px}.mention.all{background:var(--all)}
a{color:var(--link);text-decoration:none}
table{border-collapse:collapse;font-size:14px;margin:4px 0}td{border:1px solid var(--line);padding:4px 10px}
tr:first-child td{font-weight:700;background:var(--codebg)}
figure{margin:4px 0}figure figcaption{color:var(--soft);font-size:13px}
figure img{max-width:480px;max-height:360px;border:1px solid var(--line);border-radius:8px;display:block}
.file{display:inline-block;border:1px solid var(--line);border-radius:8px;padding:10px 14px;margin:4px 8px 4px 0}
.file small{display:block;color:var(--soft)}
.scrim{background:var(--scrim);min-height:100vh;padding:32px 0}
.modal{width:520px;margin:auto;background:var(--card);border-radius:8px;box-shadow:0 18px 48px #0005}
.modal>h1{font-size:22px;margin:0;padding:20px 28px 12px}.modal .inside{padding:0 28px 12px}
.modal footer{border-top:1px solid var(--line);padding:16px 28px;display:flex;justify-content:flex-end;gap:12px}
.input label{font-weight:700;display:block;margin:8px 0 6px}.input label i{font-weight:400;color:var(--soft)}
.input .field{border:1px solid #80808080;border-radius:4px;padding:8px 12px;min-height:42px;width:100%;
background:var(--bg);white-space:pre-wrap}
.input .field.empty{color:var(--soft)}.input .field.tall{min-height:88px}
.input.bad .field{border-color:var(--error)}.input .hint{color:var(--soft);font-size:13px;margin-top:4px}
.error{color:var(--error);font-size:13px;margin-top:4px;font-weight:700}
.choice{display:block;margin:4px 0}.choice small{color:var(--soft)}
nav{padding:0 20px;border-bottom:1px solid var(--line);color:var(--soft);font-size:13px;font-weight:700}
nav b{display:inline-block;padding:8px 0;margin-right:16px}nav b.here{color:var(--fg);border-bottom:2px solid var(--fg)}
.home{padding:16px 20px}
"""
