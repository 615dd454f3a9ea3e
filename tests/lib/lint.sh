#!/bin/bash
# What the compiler does not check: owners of libraries, layers, purity of the domain, banned calls and words, headers that
# compile alone. Sizes are warnings. Exit status 1 when there is an error.
set -u
cd "$(dirname "$0")/../.." || exit 1
mapfile -t files < <(find gateway adapters tests -name '*.[ch]' | sort)
report=$(mktemp)
trap 'rm -f "$report"' EXIT

perl - "${files[@]}" >"$report" <<'PERL' || exit 1
use strict;
use warnings;

# A library's headers => where they may be included.
my @owners = (
	[qr{^avro}          => qr{^gateway/events/}],
	[qr{^sqlite3}       => qr{^gateway/store/|^tests/lib/fault_vfs\.c$}],
	[qr{^curl/}         => qr{^gateway/http/}],
	[qr{^openssl/}      => qr{^gateway/crypto/}],
	[qr{^microhttpd}    => qr{^tests/agencies/}],
	[qr{^librdkafka/}   => qr{^gateway/bus/|^tests/}],
	[qr{^xlsxwriter}    => qr{^gateway/cli/statement_xlsx\.c$}],
	[qr{^jansson}       => qr{^adapters/|^gateway/(cli|events|http)/|^tests/}],
	[qr{^iconv}         => qr{^adapters/village/|^tests/}],
	[qr{^cmocka}        => qr{^tests/}],
);
# A file may include what is of its own height or below.
my %height = (base => 0, crypto => 1, domain => 2, events => 3, store => 3, bus => 4, ledger => 4, http => 4, flow => 5, cli => 6);
my $impure = qr{^(stdio|unistd|time|sys/time|fcntl|sys/stat|dirent|signal|pthread)\.h$|^base/(fs|clock|log|conf|role)\.h$};
my @banned = qw(strcpy strncpy strcat strncat sprintf vsprintf gets atoi atol atoll atof strtok sleep usleep alloca system popen);
my $banned = join '|', @banned;
my %limit = (c => 800, h => 150);
my $function_max = 70;

sub error { print "E $_[0]:$_[1]: $_[2]\n" }
sub warning { print "W $_[0]:$_[1]: $_[2]\n" }

# Comments and the insides of texts become blanks; lines stay lines.
sub bare {
	my ($text) = @_;
	my $blank = sub { my $s = $_[0]; $s =~ s/[^\n]/ /g; $s };
	$text =~ s{("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(/\*.*?\*/|//[^\n]*)}{
		defined $1 ? substr($1, 0, 1) . $blank->(substr($1, 1, -1)) . substr($1, -1) : $blank->($2)
	}gse;
	return $text;
}

sub layer_of {
	my ($file) = @_;
	return $1 if $file =~ m{^gateway/([a-z]+)/};
	return 'cli' if $file =~ m{^gateway/|^adapters/};
	return '';
}

sub check_include {
	my ($file, $line, $what, $ours) = @_;
	for my $o (@owners) {
		error($file, $line, "<$what> is included by its owner only") if $what =~ $o->[0] && $file !~ $o->[1];
	}
	error($file, $line, "domain is pure: no <$what>") if $file =~ m{^gateway/domain/} && $what =~ $impure;
	return unless $ours;
	my $from = layer_of($file);
	my ($to) = $what =~ m{^([a-z]+)/};
	return unless defined $to;
	if ($file =~ m{^gateway/} && $to =~ /^(adapters|tests)$/) {
		error($file, $line, "\"$what\": $to stands above gateway");
	} elsif ($from ne '' && exists $height{$to} && exists $height{$from} && $height{$to} > $height{$from}) {
		error($file, $line, "\"$what\": layer $to stands above $from");
	} elsif ($from ne '' && !exists $height{$to} && $to !~ /^(adapters|tests)$/) {
		error($file, $line, "\"$what\": $to is no layer");
	}
	if ($file =~ m{^adapters/([a-z]+)/}) {
		my $own = $1;
		error($file, $line, "\"$what\": adapters never touch the ledger or commands") if $to =~ /^(ledger|cli)$/;
		error($file, $line, "\"$what\": adapters share adapters/common only")
			if $what =~ m{^adapters/([a-z]+)/} && $1 ne 'common' && $1 ne $own;
		error($file, $line, "\"$what\": the product needs no test") if $to eq 'tests';
	}
	error($file, $line, "\"$what\": the agencies are the referee and share no rules with the product")
		if $file =~ m{^tests/agencies/} && $to =~ /^(domain|events|bus|ledger|http|flow|cli|adapters)$/;
}

for my $file (@ARGV) {
	open my $f, '<', $file or next;
	my $text = do { local $/; <$f> };
	close $f;
	my $bare = bare($text);
	my @raw = split /\n/, $text, -1;
	my @code = split /\n/, $bare, -1;
	my ($kind) = $file =~ /\.([ch])$/;
	my $product = $file =~ m{^(gateway|adapters)/};
	my $opened = 0;

	warning($file, scalar @raw - 1, (@raw - 1) . " lines, more than $limit{$kind}") if @raw - 1 > $limit{$kind};
	for my $i (0 .. $#code) {
		my $line = $i + 1;
		if ($code[$i] =~ /^\s*#\s*include\b/ && $raw[$i] =~ /include\s*([<"])([^>"]+)[>"]/) {
			check_include($file, $line, $2, $1 eq '"');
			next;
		}
		error($file, $line, "$1 is banned") if $code[$i] =~ /(?<![\w.>])($banned)\s*\(/;
		error($file, $line, "$1: money and figures are whole numbers") if $product && $code[$i] =~ /\b(double|float)\b/;
		error($file, $line, "unfinished: $1") if $raw[$i] =~ /\b(TODO|FIXME|XXX)\b/;
		$opened = $line if $code[$i] =~ /^\{/;
		if ($opened && $code[$i] =~ /^\}/) {
			my $lines = $line - $opened + 1;
			warning($file, $opened, "function of $lines lines, more than $function_max") if $lines > $function_max;
			$opened = 0;
		}
	}
}
PERL

# Each header stands on its own.
headers() { printf '%s\0' "${files[@]}" | grep -z '\.h$'; }
export report
headers | xargs -0 -n 1 -P 2 bash -c '
	text=$(printf "#include \"%s\"\n" "$0" | ${CC:-gcc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-function \
		-Igateway -I. -fsyntax-only -x c - 2>&1) && [ -z "$text" ] && exit 0
	printf "E %s:1: does not compile alone: %s\n" "$0" "$(printf "%s" "$text" | grep -m 1 -E "error|warning")" >>"$report"
'

sort -k 2,2V "$report" | sed 's/^E /error: /; s/^W /warning: /'
errors=$(grep -c '^E ' "$report")
warnings=$(grep -c '^W ' "$report")
echo "lint: $errors errors, $warnings warnings"
[ "$errors" -eq 0 ]
