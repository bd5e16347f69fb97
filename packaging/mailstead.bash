# SPDX-License-Identifier: ISC
# mailstead.bash - completion for bash. What there is of commands, sub-commands,
# options and words is read from the usage lines of --help, so that it is always
# that of the program at hand; names of users, systems, posts and the like are
# asked from the running server (that of -c or -d, where one is given).

# The program as it was called, with its global options.
_mailstead_run() {
	"${words[@]:0:at}" "$@" 2>/dev/null
}

# The first column of a list; $1 names the command, and what follows its
# sub-command, when that is not "list".
_mailstead_names() {
	_mailstead_run $1 ${2-list} | awk 'NR > 1 { print $1 }'
}

# The words of the line as people see them: bash cuts at "=" and ":", which
# belong to ours. Sets words, and cur to the last one.
_mailstead_split() {
	local i w rest=$COMP_LINE is_glued=

	words=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		w=${COMP_WORDS[i]}
		rest=${rest#*"$w"}
		if [[ -n $is_glued ]]; then
			words[-1]+=$w
		else
			words+=("$w")
		fi
		is_glued=
		[[ $rest == [[:space:]]* ]] || is_glued=1
	done
	cur=${words[-1]}
}

# Of a|B|c=D|e=f|g the words, not the placeholders: a c= e=f e=g.
_mailstead_literals() {
	local one name= rest

	for one in ${1//|/ }; do
		rest=$one
		[[ $one != *=* ]] || name=${one%%=*}= rest=${one#*=}
		[[ $name == *[A-Z]* || $rest == *. ]] ||
		    [[ $rest == *[A-Z]* && -z $name ]] ||
		    echo "$name$([[ $rest == *[A-Z]* ]] || echo "$rest")"
	done
}

# The usage lines of --help behind these words, each in one piece.
_mailstead_usage_lines() {
	_mailstead_run "$@" --help | awk '
		/^$/ { exit }
		sub(/^(usage:|      ) mailstead /, "") {
		    if (line != "") print line
		    line = $0
		    next
		}
		{ sub(/^ +/, " "); line = line $0 }
		END { if (line != "") print line }'
}

# Reads the usage lines that fit: into options (of those that take a value with
# what that is: takes), and into places the other words, by their place.
_mailstead_usage() {
	local line token next i n
	local -a tokens

	options=() places=() takes=()
	while read -r line; do
		read -ra tokens <<<"$line"
		# Without a sub-command count the lines that have none.
		[[ $depth -gt 1 || ! ${tokens[1]-} =~ ^[a-z][a-z|-]*$ ]] || continue
		n=0
		for ((i = depth; i < ${#tokens[@]}; i++)); do
			token=${tokens[i]#[}
			[[ $token != '|' ]] || continue
			if [[ $token != -* ]]; then
				places[n]+=" $token"
				[[ $token == *...* ]] || ((++n))
				continue
			fi
			next=${tokens[i + 1]-}
			options+=("${token%%]*}")
			if [[ $token != *']' && $next == [A-Za-z0-9]* ]]; then
				takes[${token}]=${next%%]*}
				((++i))
			fi
		done
	done < <(_mailstead_usage_lines "${words[@]:at:depth}")
}

# What a placeholder of the usage stands for: names to choose from.
_mailstead_placeholder() {
	case $cmd.$verb.$1 in
	check.add.SYSTEM/CHECK*) _mailstead_names system | sed 's,$,/,' ;;
	check.*.SYSTEM/CHECK* | watch.*.SYSTEM*) _mailstead_names check ;;
	check.add.KIND) _mailstead_kinds ;;
	check.add.NAME=* | check.change.NAME=*) _mailstead_check_options ;;
	post.new.KIND | post.list.KIND)
		echo incident notice maintenance post-mortem
		;;
	post.*.NUMBER*) _mailstead_names post ;;
	route.*.NUMBER) _mailstead_names route ;;
	route.*.GROUP*) _mailstead_names route groups ;;
	route.*.WHOM) echo group: mx: from: account: fallback ;;
	route.*.WAY*)
		echo direct hold or then tls=may tls=must tls=verify tls=never \
		    tls=implicit source= helo= helo4= helo6= weight= user= \
		    cleartext=yes spf=ignore
		;;
	system.add.ROLE | system.change.ROLE)
		echo mail relay web primary-ns secondary-ns phone monitoring \
		    status other
		;;
	system.add.* | domain.add.* | user.add.ADDRESS* | alias.add.ADDRESS* | \
	    suppress.*.ADDRESS | reach.check.* | trace.*) ;;
	system.*.ID) _mailstead_names system ;;
	maintenance.remove.ID) _mailstead_names maintenance ;;
	key.revoke.ID) _mailstead_names key ;;
	queue.*.ID*) _mailstead_names queue ;;
	alert.add.*) ;;
	alert.*.NAME) _mailstead_names alert ;;
	watch.show.NAME | watch.remove.NAME) _mailstead_names 'watch agent' ;;
	subscriber.add.ADDRESS*) ;;
	subscriber.*.ADDRESS*) _mailstead_names subscriber ;;
	alias.remove.ADDRESS*) _mailstead_names alias ;;
	retry.remove.PATTERN | tls-rule.remove.PATTERN) _mailstead_names "$cmd" ;;
	certificate.renew.HOST) _mailstead_names certificate ;;
	reach.*.SIGNAL) _mailstead_names reach signals ;;
	reach.*.NETWORK) _mailstead_names reach '' ;;
	*.*.SYSTEM*) _mailstead_names system ;;
	*.*.ADDRESS'|'DOMAIN)
		_mailstead_names domain
		_mailstead_names user
		;;
	*.*.DOMAIN* | *.*.D) _mailstead_names domain ;;
	*.*.ADDRESS* | *.*.USER | *.*.TARGET...) _mailstead_names user ;;
	esac
}

_mailstead_kinds() {
	_mailstead_run check kinds --json |
	    sed -n 's/^        "\([a-z]*\)",\{0,1\}$/\1/p' | sort -u
}

# The options of the kind of check on the line, or of all kinds.
_mailstead_check_options() {
	local kind=

	[[ $verb != add ]] || kind=${words[at + 3]-}
	_mailstead_run check kinds --json | awk -v kind="$kind" '
	    { gsub(/[ ",]/, "") }
	    /^option:/ { name = substr($0, 8); is_told = 0 }
	    /^[a-z]+$/ && !is_told && (kind == "" || $0 == kind) {
		print name "="
		is_told = 1
	    }'
	[[ $verb != change ]] || echo target=
}

# The kind of the post on the line: the one that is written, or that is there.
_mailstead_post_kind() {
	if [[ $verb == new ]]; then
		echo "${words[at + 2]}"
	elif [[ ${words[at + 2]} != -* ]]; then
		_mailstead_run post show "${words[at + 2]}" |
		    sed -n '/^Kind /{s/^Kind *//p;q}'
	fi
}

# The states of that kind of post; of all kinds where it is not known.
_mailstead_states() {
	local incident='investigating identified monitoring resolved'
	local maintenance='planned in-progress done'

	case $1 in
	incident) echo "$incident" ;;
	maintenance) echo "$maintenance" ;;
	notice | post-mortem) ;;
	*) echo "$incident $maintenance" ;;
	esac
}

# What stands behind NAME= or --NAME. Lists are continued behind a comma.
_mailstead_value() {
	case $cmd.$1 in
	*.--affects | *.--systems) _mailstead_names system ;;
	*.--parents)
		_mailstead_names system
		echo none
		;;
	*.--scopes) echo read posts systems subscribers all ;;
	*.--role) _mailstead_placeholder ROLE ;;
	post.--kind) _mailstead_placeholder KIND ;;
	*.--incident) _mailstead_names post ;;
	queue.--account) _mailstead_names user ;;
	queue.--state) echo waiting deferred active held ;;
	post.--state) _mailstead_states "$(_mailstead_post_kind)" ;;
	*.--service)
		echo mx submission submissions imap imaps pop3 pop3s http https
		;;
	*.--network) _mailstead_names reach '' ;;
	*.--language) echo en fr pt ;;
	alert.system) _mailstead_names system ;;
	check.tls) echo never starttls implicit ;;
	check.verify) echo yes no ;;
	check.transport) echo udp tcp tls ;;
	check.family) echo 4 6 ;;
	check.protocol) echo tls smtp imap pop3 sieve ;;
	check.type) echo A AAAA CNAME MX NS TXT SRV PTR ;;
	check.service) echo receive send read webmail sign-in none ;;
	check.at)
		echo all here
		_mailstead_names 'watch agent'
		;;
	esac
}

# Those of the words that begin as the last one on the line does.
_mailstead_reply() {
	local IFS=$' \t\n' before=

	[[ -z $1 ]] || before=$1
	COMPREPLY=($(compgen -P "$before" -W "$2" -- "${cur#"$before"}"))
}

_mailstead_files() {
	local IFS=$'\n'

	COMPREPLY=($(compgen "$1" -- "$cur"))
	compopt -o filenames 2>/dev/null
}

# The value of an option (or of a NAME=, with $1 what stands before it).
_mailstead_reply_value() {
	local before=$1 name=$2 what=$3 list=

	case $cmd.$name.$what in
	agent.--state.* | *.DIR) _mailstead_files -d && return ;;
	*.FILE) _mailstead_files -f && return ;;
	esac
	case $name in
	--affects | --systems | --parents | --scopes)
		list=${cur#"$before"}
		before+=${list%"${list##*,}"}
		;;
	esac
	_mailstead_reply "$before" \
	    "$(_mailstead_literals "$what") $(_mailstead_value "$name")"
}

# The place of the last word among those that are no options, or their values.
_mailstead_place() {
	local i

	place=0
	for ((i = at + depth; i < ${#words[@]} - 1; i++)); do
		if [[ ${words[i]} != -* ]]; then
			((++place))
		elif [[ -n ${takes[${words[i]}]-} ]]; then
			((++i))
		fi
	done
}

_mailstead_reply_place() {
	local i place token list= here=

	_mailstead_place
	((place < ${#places[@]})) || place=$((${#places[@]} - 1))
	((place >= 0)) || return
	here=${places[place]}
	# What has a name may stand in any order behind what has none.
	for ((i = place + 1; i < ${#places[@]}; i++)); do
		[[ $here != *=* ]] || here+=" ${places[i]}"
	done
	for ((i = 0; i < place; i++)); do
		[[ ${places[i]} != *=* ]] || here+=" ${places[i]}"
	done
	for token in $here; do
		token=${token%%']'}
		case $token in
		FILE* | PATH) _mailstead_files -f && return ;;
		DIR) _mailstead_files -d && return ;;
		esac
		list+=" $(_mailstead_literals "${token%...}")"
		list+=" $(_mailstead_placeholder "$token")"
	done
	_mailstead_reply '' "$list"
}

# Sub-commands, where usage lines have them: the words behind the command.
_mailstead_verbs() {
	_mailstead_usage_lines "${words[@]:at:1}" |
	    awk -v from="$depth" -v agent="$1" '
		$(from + 1) ~ /^[a-z][a-z|-]*$/ && (agent == "" || $2 == agent) {
		    gsub(/\|/, "\n", $(from + 1))
		    print $(from + 1)
		}' | sort -u
}

_mailstead_commands() {
	_mailstead_run --help | sed -n '/^Options:/q; s/^  \([a-z-]*\)\( .*\)*$/\1/p'
	echo help
}

_mailstead_complete() {
	local cmd=${words[at]} verb= depth=1 verbs
	local -a options places
	local -A takes

	if ((${#words[@]} - 1 == at)); then
		_mailstead_reply '' "$(_mailstead_commands) -c -d --help --version"
		return
	fi
	if [[ $cmd == help ]]; then
		_mailstead_reply '' "$(_mailstead_commands)"
		return
	fi
	verbs=$(_mailstead_verbs)
	if [[ $cmd != feedback || ${words[at + 1]} != show ]] &&
	    [[ " ${verbs//$'\n'/ } " == *" ${words[at + 1]} "* ]] &&
	    ((${#words[@]} > at + 2)); then
		verb=${words[at + 1]}
		depth=2
		verbs=
		if [[ $cmd.$verb == watch.agent ]]; then
			verbs=$(_mailstead_verbs agent)
			((${#words[@]} <= at + 3)) ||
			    { verb=${words[at + 2]} depth=3 verbs=; }
		fi
	elif [[ $cmd == feedback && ${words[at + 1]} == show ]]; then
		verb=show
		depth=2
		verbs=
	elif ((${#words[@]} > at + 2)); then
		verbs=
	fi
	_mailstead_usage
	if [[ -n ${takes[${words[-2]}]-} ]]; then
		_mailstead_reply_value '' "${words[-2]}" "${takes[${words[-2]}]}"
	elif [[ $cur == --*=* ]]; then
		_mailstead_reply_value "${cur%%=*}=" "${cur%%=*}" \
		    "${takes[${cur%%=*}]-}"
	elif [[ $cur == -* ]]; then
		_mailstead_reply '' "${options[*]}"
	elif [[ -n $verbs ]]; then
		_mailstead_reply '' "$verbs ${options[*]}"
	elif [[ $cur == *=* && $cmd == @(check|alert) ]]; then
		_mailstead_reply_place
		((${#COMPREPLY[@]})) && [[ ${COMPREPLY[0]} != *= ]] ||
		    _mailstead_reply_value "${cur%%=*}=" "${cur%%=*}" ''
	else
		_mailstead_reply_place
		[[ -n $cur ]] || COMPREPLY+=("${options[@]}")
	fi
}

_mailstead() {
	local cur at=1 cut i
	local -a words

	COMPREPLY=()
	_mailstead_split
	# Global options take a value each.
	while [[ ${words[at]-} == -[cd] ]]; do
		((at += 2))
	done
	if ((at >= ${#words[@]})); then
		[[ ${words[at - 2]} != -c ]] || _mailstead_files -f
		[[ ${words[at - 2]} != -d ]] || _mailstead_files -d
	else
		_mailstead_complete
	fi
	# bash puts in place of what stands behind the last "=" or ":".
	cut=${cur%"${cur##*["=:"]}"}
	for i in "${!COMPREPLY[@]}"; do
		[[ ${COMPREPLY[i]} != *[=/:] ]] || compopt -o nospace 2>/dev/null
		COMPREPLY[i]=${COMPREPLY[i]#"$cut"}
	done
}
complete -F _mailstead mailstead
