// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The frame of the page: style, head and foot. Nothing is loaded from anywhere, no script runs.
 */
#include <string.h>

#include "src/html.h"
#include "src/identity.h"
#include "src/report.h"

static const char style[] =
	":root{color-scheme:light dark;--bg:#f5f6f8;--card:#fff;--ink:#1b1f27;--dim:#5c6575;--line:#dfe3ea;--accent:#b3261e;"
	"--accent-soft:#fdecea;--code:#f0f2f6;--mark:#fff1ef;--free:#9ccc9c;--cache:#5b9bd5;--user:#e0a03c;--slab:#a678c9;"
	"--kernel:#4a5a78;--zero:#b9c0cc;--offline:#d97b9c}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#12151b;--card:#1b2029;--ink:#e4e8ef;--dim:#98a2b3;--line:#2d3440;"
	"--accent:#ff8a80;--accent-soft:#3a1f20;--code:#141920;--mark:#3a2324;--free:#5f8f62;--cache:#4f86bd;--user:#c98b2e;"
	"--slab:#9a6dbd;--kernel:#8194b8;--zero:#596375;--offline:#b5587b}}\n"
	"*{box-sizing:border-box}\n"
	"html{-webkit-text-size-adjust:100%}\n"
	"body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\n"
	"header,main,footer{max-width:70rem;margin:0 auto;padding:0 1rem}\n"
	"header{padding-top:1.6rem}\n"
	".kicker{color:var(--accent);font-weight:600;letter-spacing:.04em;text-transform:uppercase;font-size:.8rem;margin:0}\n"
	"h1{font-size:clamp(1.3rem,4.2vw,2rem);line-height:1.25;margin:.3rem 0 .6rem;overflow-wrap:anywhere}\n"
	"h2{font-size:1.1rem;margin:0 0 .8rem}h3{font-size:.95rem;margin:0}\n"
	"section,.hero{background:var(--card);border:1px solid var(--line);border-radius:.7rem;padding:1.1rem 1.2rem;margin:0 0 1rem}\n"
	".hero{border-left:.35rem solid var(--accent);margin-top:1rem}\n"
	"nav{display:flex;flex-wrap:wrap;gap:.3rem 1rem;margin:0 0 1rem;font-size:.9rem}nav a{color:var(--dim)}\n"
	"a{color:inherit}\n"
	".place{font-size:1.02rem;overflow-wrap:anywhere}\n"
	"code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:.84rem}\n"
	"dl.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:.7rem 1.4rem;margin:1rem 0 0}\n"
	"dl.facts dt{color:var(--dim);font-size:.78rem}dl.facts dd{margin:0;overflow-wrap:anywhere}\n"
	"details{border-top:1px solid var(--line);padding:.6rem 0}details:first-of-type{border-top:0}\n"
	"summary{cursor:pointer;display:flex;flex-wrap:wrap;gap:.1rem .8rem;align-items:baseline}\n"
	"summary::before{content:'\\25b8';color:var(--dim)}details[open]>summary::before{content:'\\25be'}\n"
	"summary .dim{min-width:0;overflow-wrap:anywhere}\n"
	".tag{background:var(--accent-soft);color:var(--accent);border-radius:1rem;padding:.05rem .6rem;font-size:.78rem;"
	"font-weight:600}\n"
	"ol.stack{list-style:none;margin:.6rem 0 0;padding:0}\n"
	"ol.stack li{display:grid;grid-template-columns:2.4rem 1fr;padding:.1rem 0;overflow-wrap:anywhere}\n"
	"ol.stack li::before{content:'#'attr(data-n);color:var(--dim)}\n"
	"ol.stack li.here{background:var(--mark);border-radius:.3rem;font-weight:600}\n"
	"ol.stack li.gap{display:block;color:var(--dim);border-left:3px solid var(--accent);"
	"padding:.2rem .7rem;margin:.4rem 0}ol.stack li.gap::before{content:none}\n"
	".off{color:var(--dim)}.mod{color:var(--accent)}\n"
	".regs{display:grid;grid-template-columns:repeat(auto-fill,minmax(13.5rem,1fr));gap:0 1rem}\n"
	"pre{background:var(--code);border-radius:.5rem;padding:.8rem;margin:0;overflow-x:auto;line-height:1.45}\n"
	".log{display:flex;flex-direction:column-reverse;max-height:36rem;overflow:auto;background:var(--code);border-radius:.5rem}"
	".log pre{overflow:visible;min-width:max-content}\n"
	"pre b{display:block;font-weight:400;background:var(--mark);box-shadow:inset 3px 0 var(--accent);margin:0 -.8rem;"
	"padding:0 .8rem;min-width:max-content}pre i{font-style:normal;color:var(--dim)}\n"
	"table{border-collapse:collapse;width:100%;font-size:.9rem}th{text-align:left;color:var(--dim);font-weight:500;"
	"font-size:.8rem}td,th{padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}\n"
	"td.n,th.n{text-align:right}.scroll{overflow-x:auto}\n"
	".dim{color:var(--dim)}.legend{display:flex;flex-wrap:wrap;gap:.4rem 1.3rem;padding:0;margin:.9rem 0 0;list-style:none}\n"
	".legend li{display:flex;gap:.45rem;align-items:center;font-size:.9rem}.legend span{width:.8rem;height:.8rem;"
	"border-radius:.2rem;flex:none}\n"
	".chips{display:flex;flex-wrap:wrap;gap:.35rem;margin:0;padding:0;list-style:none}.chips li{background:var(--code);"
	"border-radius:.4rem;padding:.1rem .55rem}\n"
	".chips li.bad{background:var(--accent-soft);color:var(--accent)}\n"
	"svg{width:100%;height:auto;display:block}\n"
	"footer{color:var(--dim);font-size:.82rem;padding-bottom:2rem}\n"
	"@media(max-width:36rem){section,.hero{padding:.9rem .8rem;border-radius:.5rem}header,main,footer{padding:0 .6rem}"
	"header{padding-top:1rem}dl.facts{grid-template-columns:repeat(2,minmax(0,1fr));gap:.6rem .8rem}}\n"
	"@media print{.log{max-height:none}body{background:#fff}}\n";

static void fact(FILE *out, const char *name, const char *value)
{
	if (value && *value)
		html(out, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, value);
}

static void uptime_text(uint64_t seconds, char ret[64])
{
	if (seconds >= 86400)
		snprintf(ret, 64, "%llu days %llu h", (unsigned long long)(seconds / 86400), (unsigned long long)(seconds / 3600 % 24));
	else if (seconds >= 3600)
		snprintf(ret, 64, "%llu h %llu min", (unsigned long long)(seconds / 3600), (unsigned long long)(seconds / 60 % 60));
	else
		snprintf(ret, 64, "%llu min %llu s", (unsigned long long)(seconds / 60), (unsigned long long)(seconds % 60));
}

static void cpu_text(const struct crash_facts *facts, char ret[64])
{
	ret[0] = 0;
	if (facts->cpu == CPU_UNKNOWN)
		return;
	if (facts->task.pid < 0)
		snprintf(ret, 64, "CPU %u", facts->cpu);
	else
		snprintf(ret, 64, "CPU %u, %s (PID %d)", facts->cpu, facts->task.comm, facts->task.pid);
}

/* What the letters stand for: Documentation/admin-guide/tainted-kernels.rst. */
static void taint_words(const struct crash_facts *facts, char *ret, size_t size)
{
	static const char *const words[] = {
		"proprietary module", "module loaded by force", "out-of-specification system", "module unloaded by force",
		"machine check", "bad page", "by user space", "oops before", "ACPI table overridden", "warning before",
		"staging driver", "firmware workaround", "out-of-tree module", "unsigned module", "soft lockup before",
		"live-patched", "by the distribution", "randomised structures", "test", "fwctl",
	};
	char letters[TAINT_TEXT_MAX];
	size_t len;

	taint_text(facts->taint, letters);
	len = snprintf(ret, size, facts->taint ? "%s:" : "not tainted", letters);
	for (size_t i = 0, nr = 0; i < ARRAY_SIZE(words) && len < size; i++)
		if (facts->taint >> i & 1)
			len += snprintf(ret + len, size - len, nr++ ? ", %s" : " %s", words[i]);
}

static void head_facts(struct report *r)
{
	const struct kernel *kernel = &r->session.kernel;
	char text[256], signature[SIGNATURE_LEN];

	html(r->out, "<dl class=\"facts\">\n");
	fact(r->out, "Host", kernel->nodename);
	fact(r->out, "Kernel", kernel->release);
	if (kernel->crashtime) {
		format_time(kernel->crashtime, text);
		text[10] = ' ';
		strcat(text, " UTC");
		fact(r->out, "Crashed", text);
	}
	if (r->last_ns) {
		uptime_text(r->last_ns / 1000000000, text);
		fact(r->out, "Uptime", text);
	}
	cpu_text(&r->facts, text);
	fact(r->out, "Running", text);
	if (r->facts.taint_known) {
		taint_words(&r->facts, text, sizeof(text));
		fact(r->out, "Taint", text);
	}
	signature_text(&r->facts.signature, signature);
	fact(r->out, "Signature", signature);
	fact(r->out, "Boot", r->facts.boot_id);
	html(r->out, "</dl>\n");
}

void report_head(struct report *r)
{
	const char *host = r->session.kernel.nodename[0] ? r->session.kernel.nodename : "a kernel";
	/* "Fatal exception" is how the kernel gives up after any oops. */
	const char *title = r->panic[0] && !strstr(r->panic, "Fatal exception") ? r->panic : r->complaint;

	html(r->out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
	     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	     "<title>Crash of %s</title>\n<style>\n", host);
	fputs(style, r->out);
	html(r->out, "</style>\n</head>\n<body>\n<header>\n<div class=\"hero\">\n<p class=\"kicker\">Crash report</p>\n<h1>%s</h1>\n",
	     title[0] ? title : "The kernel crashed");
	if (r->complaint[0] && r->panic[0])
		html(r->out, "<p class=\"dim\">%s</p>\n", title == r->panic ? r->complaint : r->panic);
	if (r->facts.place[0])
		html(r->out, "<p class=\"place\">at <code>%s</code></p>\n", r->facts.place);
	head_facts(r);
	html(r->out, "</div>\n<nav><a href=\"#stacks\">Stacks</a><a href=\"#log\">Log</a><a href=\"#memory\">Memory</a>"
	     "<a href=\"#tasks\">Tasks</a><a href=\"#modules\">Modules</a><a href=\"#capture\">Capture</a></nav>\n</header>\n<main>\n");
}

void report_section(struct report *r, const char *id, const char *title)
{
	html(r->out, "<section id=\"%s\">\n<h2>%s</h2>\n", id, title);
}

void report_missing(struct report *r, const char *why)
{
	html(r->out, "<p class=\"dim\">%s</p>\n", why);
}

void report_foot(struct report *r)
{
	html(r->out, "</main>\n<footer>kcapture %s</footer>\n</body>\n</html>\n", KCAPTURE_VERSION);
}
