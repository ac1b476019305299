"""How the page looks: light and dark, on a screen, on a phone and on paper."""

from __future__ import annotations

# Even steps of lightness in OKLCH, one hue and a half: seen as even, and by the colour-blind too. Shade, text on it.
LIGHT_RAMP = (
    ("#e4f3fc", "#07111b"),
    ("#b9d8ee", "#07111b"),
    ("#8fbde1", "#07111b"),
    ("#67a2d4", "#07111b"),
    ("#4086c7", "#07111b"),
    ("#2269b2", "#ffffff"),
    ("#1f4f8d", "#ffffff"),
    ("#183668", "#ffffff"),
)
DARK_RAMP = (
    ("#1c2c41", "#ffffff"),
    ("#234465", "#ffffff"),
    ("#255d8b", "#ffffff"),
    ("#1d79b2", "#ffffff"),
    ("#3495cc", "#07111b"),
    ("#5fb1dc", "#07111b"),
    ("#87cdee", "#07111b"),
    ("#afe8ff", "#07111b"),
)


def _ramp(shades: tuple[tuple[str, str], ...]) -> str:
    return "".join(f".l{at}{{background:{shade};color:{ink}}}" for at, (shade, ink) in enumerate(shades, 1))


_LIGHT = (
    ":root{--paper:#fff;--ink:#16202b;--quiet:#586675;--line:#d5dce4;--wash:#f3f6f9;--bar:#4086c7;"
    "--bad:#b3260b;--bad-wash:#fbe3da;--short:#f1b53d;--short-ink:#2b1c00;--short-line:#8a5a00}"
)
_DARK = (
    ":root{--paper:#0e151d;--ink:#e4ebf2;--quiet:#9aa8b6;--line:#2c3845;--wash:#17212c;--bar:#3495cc;"
    "--bad:#ff8a66;--bad-wash:#47170b;--short:#7a5200;--short-ink:#fff;--short-line:#f1b53d}"
)

_PAGE = """
*{box-sizing:border-box}
body{margin:0 auto;padding:24px;max-width:1360px;background:var(--paper);color:var(--ink);
 font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
 -webkit-text-size-adjust:100%}
h1{font-size:22px;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:15px;margin:32px 0 8px}
p{margin:4px 0 0;color:var(--quiet)}
small{font-size:12px;color:var(--quiet)}
.verdict{margin:16px 0 0;padding:8px 14px;border-left:6px solid;border-radius:4px;font-size:16px;font-weight:600;
 background:var(--wash)}
.good{border-color:var(--bar);color:var(--ink)}
.bad{border-color:var(--bad);color:var(--bad);background:var(--bad-wash)}
.command{margin:0;padding:12px 14px;border:1px solid var(--line);border-radius:6px;background:var(--wash);
 font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere;
 user-select:all;-webkit-user-select:all}
.command span{display:inline-block;max-width:100%;vertical-align:top}
.figures{display:flex;flex-wrap:wrap;gap:8px 40px;margin:24px 0 0}
.figures div{display:flex;flex-direction:column-reverse}
.figures dt{color:var(--quiet)}
.figures dd{margin:0;font-size:24px;font-weight:650;line-height:1.2;font-variant-numeric:tabular-nums}
.legend{display:grid;grid-template-columns:repeat(auto-fit,minmax(146px,1fr));gap:10px 16px;margin:24px 0 12px;
 padding:0;list-style:none}
.legend li{display:flex;gap:8px;line-height:1.3;font-variant-numeric:tabular-nums}
.legend small{display:block;line-height:1.25;margin-top:2px}
.key{display:inline-flex;align-items:center;justify-content:center;flex:none;width:28px;height:22px;border-radius:3px;
 font-size:13px}
.ramp{display:flex;height:22px;border-radius:3px;overflow:hidden}.ramp .key{width:9px;border-radius:0}
"""

_TABLE = """
table{border-collapse:separate;font-variant-numeric:tabular-nums}
.hours{width:100%;min-width:936px;table-layout:fixed;border-spacing:2px;font-size:11px}
.hours th{font-weight:600;padding:0}
.hours thead th:first-child{text-align:left;font-size:12px}
.hours thead th:nth-last-child(-n+4){padding:0 4px;text-align:right;font-size:12px}
.hours thead th{position:sticky;top:0;z-index:3;height:26px;background:var(--paper);color:var(--quiet)}
.days{width:104px}.sums{width:80px}.bars{width:56px}.sizes{width:58px}.holes{width:54px}
.hours tbody th[scope=row],.hours tfoot th{text-align:left;white-space:nowrap;background:var(--paper);font-size:12px}
.hours .weekend th[scope=row]{font-weight:400}
.hours td{height:24px;padding:0;position:relative;text-align:center;border-radius:3px;white-space:nowrap}
.hours td:nth-last-child(-n+4){padding:0 4px;text-align:right;font-size:12px}
.hours tfoot th,.hours tfoot td{height:30px;border-top:2px solid var(--line);border-radius:0;font-weight:600}
.hours tfoot td{text-align:right}.hours tfoot td:nth-child(2){text-align:left}
.month th{height:32px;text-align:left;font-size:13px;vertical-align:bottom}
.month span{position:sticky;left:2px}.month small{margin-left:6px;font-weight:400}
.month strong,.some{color:var(--bad);font-weight:700}
.l0{background:var(--wash);color:var(--ink)}
td.empty,td.accepted{font-size:13px;line-height:1}
.empty{box-shadow:inset 0 0 0 1px var(--line);color:var(--quiet)}
.open{border:1px dashed var(--quiet);background:radial-gradient(var(--line) 1.2px,transparent 1.4px) 0 0/6px 6px;
 color:var(--ink)}
.accepted{border:1px solid var(--quiet);background:repeating-linear-gradient(var(--line) 0 1px,transparent 1px 4px);
 color:var(--ink);font-weight:700}
.missing{border:2px solid var(--bad);color:var(--bad);font-weight:700;
 background:repeating-linear-gradient(45deg,var(--bad-wash) 0 3px,var(--paper) 3px 6px)}
.short{border:2px solid var(--short-line);color:var(--short-ink);font-weight:700;
 background:linear-gradient(90deg,var(--short) 50%,var(--paper) 50%)}
.failed{background:#a5200a;color:#fff;font-weight:700;border:2px solid #a5200a;box-shadow:inset 0 0 0 1px #fff}
td.missing,td.short,td.failed{font-size:14px;line-height:1}
.hours td[colspan]{font-size:12px}
.short i,.missing i,.failed i{line-height:1.4}
td i{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);user-select:none;
 -webkit-user-select:none}
td:hover>i{bottom:calc(100% + 5px);left:0;z-index:5;width:max-content;max-width:260px;height:auto;clip-path:none;
 padding:6px 10px;border-radius:5px;background:var(--ink);color:var(--paper);font:400 12px/1.4 system-ui,sans-serif;
 text-align:left;white-space:normal;overflow-wrap:anywhere;pointer-events:none}
td:nth-child(n+14):hover>i{left:auto;right:0}
.hours td:hover:has(i){outline:2px solid var(--ink)}
.bar{display:block;height:8px;background:var(--wash)}
.bar b{display:block;height:100%;min-width:1px;background:var(--bar)}
.list{width:100%;border-spacing:0;text-align:left}
.list th{color:var(--quiet);font-weight:600}
.list th,.list td{padding:5px 16px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
.list td:last-child{overflow-wrap:anywhere}
.spans td{white-space:nowrap}.spans td:last-child{width:99%;white-space:normal}.list .key{margin-right:4px}
.types{table-layout:fixed}.types td{overflow-wrap:anywhere}
.types th:first-child{width:34%}.types th:nth-child(2){width:130px}
.types td:nth-child(2),.types th:nth-child(2){text-align:right}
.types .bar{margin-top:6px}
"""

_ELSEWHERE = """
@media (max-width:1100px){
 body{padding:16px}
 .hours{font-size:10px}.bars{width:40px}
}
@media (max-width:967px){
 .scroll{overflow:auto;max-height:85vh;max-height:85svh}
 .hours tbody th[scope=row],.hours tfoot th,.hours thead th:first-child{position:sticky;left:0;z-index:2}
 .hours thead th:first-child{z-index:4}
 td:nth-child(n):hover>i{position:fixed;inset:auto 8px 8px;width:auto;max-width:none}
}
@media (max-width:600px){
 body{padding:16px 12px}
 .figures{gap:8px 24px}.figures dd{font-size:19px}
 .legend{display:grid;grid-template-columns:1fr 1fr;gap:10px}
 .spans thead{display:none}
 .spans tr{display:flex;flex-wrap:wrap;gap:0 12px;padding:6px 0;border-bottom:1px solid var(--line)}
 .spans td{padding:0;border:0}.spans td:nth-child(3){display:none}
 .types th:first-child{width:45%}.types th:nth-child(2){width:90px}.list th,.list td{padding-right:8px}
}
@media print{
 @page{size:A4 landscape;margin:10mm}
 body{padding:0;max-width:none}
 *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
 tr,.legend li{break-inside:avoid}
 .hours{min-width:0}.scroll{overflow:visible;max-height:none}
 td i{display:none}
}
"""

STYLE = (
    f"{_LIGHT}{_ramp(LIGHT_RAMP)}{_PAGE}{_TABLE}"
    f"@media screen and (prefers-color-scheme:dark){{{_DARK}{_ramp(DARK_RAMP)}}}{_ELSEWHERE}"
)
