// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/identity.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Days since 1970-01-01 to a date of the Gregorian calendar; years are counted from March, so that leap days come last. */
static void civil_date(int64_t days, int64_t *year, unsigned int *month, unsigned int *day)
{
	int64_t era, z = days + 719468;		/* days since 0000-03-01 */
	unsigned int doe, yoe, doy, mp;

	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = yoe + era * 400 + (*month <= 2);
}

void format_time(int64_t seconds, char ret[32])
{
	int64_t year, days = seconds / 86400;
	unsigned int month, day, left;

	if (seconds % 86400 < 0)
		days--;
	left = (seconds % 86400 + 86400) % 86400;
	civil_date(days, &year, &month, &day);
	if (year < 0 || year > 9999)
		year = 0;
	snprintf(ret, 32, "%04u-%02u-%02u-%02u:%02u:%02u", (unsigned int)year, month, day, left / 3600, left / 60 % 60,
		 left % 60);
}

/* What is no part of a host name, or would be a path of its own, becomes '_'. */
static void plain_name(char *name)
{
	for (char *p = name; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '-' ||
		      *p == '_' || (*p == '.' && p > name)))
			*p = '_';
}

void identity_name(const char *nodename, int64_t crashtime, char ret[IDENTITY_MAX])
{
	char name[65], when[32];

	/* "(none)" is what a kernel calls a host that nobody named. */
	snprintf(name, sizeof(name), "%s", *nodename && strcmp(nodename, "(none)") ? nodename : "localhost");
	plain_name(name);
	format_time(crashtime ? crashtime : (int64_t)time(NULL), when);
	snprintf(ret, IDENTITY_MAX, "%s-%s", name, when);
}

/* Days from 1970-01-01, the reverse of civil_date(). */
static int64_t days_of(int64_t year, unsigned int month, unsigned int day)
{
	int64_t era, y = month <= 2 ? year - 1 : year;
	unsigned int yoe, doy;

	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

int64_t identity_time(const char *name)
{
	static const char form[] = "0000-00-00-00:00:00";
	const size_t form_len = sizeof(form) - 1;
	size_t len = strlen(name);
	const char *dot = strrchr(name, '.'), *p;
	unsigned int field[6], nr = 0;

	/* A number that tells dumps of one second apart. */
	if (dot && dot[1] && !dot[1 + strspn(dot + 1, "0123456789")])
		len = dot - name;
	if (len <= form_len || name[len - form_len - 1] != '-')
		return 0;
	p = name + len - form_len;
	for (size_t i = 0; i < form_len; i++)
		if (form[i] == '0' ? !isdigit((unsigned char)p[i]) : p[i] != form[i] && p[i] != '-')
			return 0;
	for (size_t i = 0; i < form_len; i += nr == 1 ? 5 : 3)
		field[nr++] = strtoul(p + i, NULL, 10);
	if (field[1] < 1 || field[1] > 12 || field[2] < 1 || field[2] > 31)
		return 0;
	return days_of(field[0], field[1], field[2]) * 86400 + field[3] * 3600 + field[4] * 60 + field[5];
}
