# SPDX-License-Identifier: ISC
# mailstead.bash - completion of commands, users and domains for bash. Users
# and domains are asked from the running server (that of -c or -d, where one is
# given); without one there are none.

_mailstead_names() {
	"${COMP_WORDS[0]}" "${COMP_WORDS[@]:1:at - 1}" "$1" list 2>/dev/null |
	    awk 'NR > 1 { print $1 }'
}

_mailstead() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local at=1 words=

	# Global options take a value each.
	while [[ ${COMP_WORDS[at]} == -[cd] && $at -lt $COMP_CWORD ]]; do
		((at += 2))
	done
	local cmd=${COMP_WORDS[at]} verb=${COMP_WORDS[at + 1]}

	COMPREPLY=()
	case $prev in
	-c)
		COMPREPLY=($(compgen -f -- "$cur"))
		return
		;;
	-d)
		COMPREPLY=($(compgen -d -- "$cur"))
		return
		;;
	--format)
		COMPREPLY=($(compgen -W 'maildir mbox mboxo auto' -- "$cur"))
		return
		;;
	--state)
		COMPREPLY=($(compgen -W 'waiting deferred active held' -- "$cur"))
		return
		;;
	--algorithm)
		COMPREPLY=($(compgen -W 'rsa ed25519' -- "$cur"))
		return
		;;
	--kind)
		COMPREPLY=($(compgen -W 'dmarc tls abuse' -- "$cur"))
		return
		;;
	--recipients | --first-time)
		COMPREPLY=($(compgen -W 'none default' -- "$cur"))
		return
		;;
	--selector | --quota | --quota-messages | --messages | --mailbox | --since)
		return
		;;
	esac
	if ((COMP_CWORD == at)); then
		words='run demo status metrics reload config check domain dkim
		    dns user alias mail queue route account feedback retry suppress
		    dmarc tls-rule tls-rpt trace
		    system maintenance watch help -c -d --help
		    --version'
	elif ((COMP_CWORD == at + 1)); then
		case $cmd in
		domain | alias) words='add list remove' ;;
		dkim) words='list add activate rotate remove' ;;
		dns)
			words="--zone --check --update --json
			    $(_mailstead_names domain)"
			;;
		user) words='add list passwd quota remove undelete' ;;
		mail) words='import export undelete' ;;
		queue) words='list show retry hold release cancel reroute' ;;
		route)
			words='add list show change remove test status
			    avoid resume groups refusals'
			;;
		account) words='list show release block open limit' ;;
		feedback) words='list show' ;;
		retry) words='set list remove' ;;
		suppress) words='list show add remove' ;;
		tls-rule) words='add list remove test' ;;
		dmarc) words='collected reports' ;;
		config) words='check' ;;
		check)
			words='--rebuild --json add change list show run
			    remove kinds'
			;;
		system) words='add change list show remove' ;;
		maintenance) words='add list remove' ;;
		watch) words='status' ;;
		help)
			words='run demo status metrics reload config check
			    domain dkim dns user alias mail queue account
			    feedback retry suppress dmarc tls-rule tls-rpt
			    route trace
			    system maintenance watch'
			;;
		status | reload) words='--json' ;;
		run | demo)
			COMPREPLY=($(compgen -f -- "$cur"))
			return
			;;
		esac
	else
		case $cmd.$verb in
		dns.*)
			if [[ ${COMP_WORDS[COMP_CWORD - 1]} == --key ]]; then
				COMPREPLY=($(compgen -f -- "$cur"))
				return
			fi
			words="--json $(_mailstead_names domain)"
			[[ " ${COMP_WORDS[*]} " != *' --update '* ]] ||
			    words+=' --key --server --dry-run --replace --web
				--wait'
			;;
		queue.show | dmarc.*) words='--json' ;;
		route.add)
			words='--json --number --password-stdin group: mx: from:
			    account: fallback direct hold or then tls=must tls=verify tls=may
			    tls=never tls=implicit source= helo= weight= user=
			    cleartext=yes spf=ignore'
			;;
		route.change)
			words='--json --password-stdin group: mx: from: account: fallback
			    direct hold or then tls= source= helo= weight= user='
			;;
		route.avoid) words='--json --source' ;;
		route.resume) words='--json --all --source' ;;
		route.groups) words='--json --text' ;;
		route.list | route.show | route.remove | route.test | \
		    route.status)
			words='--json'
			;;
		queue.*)
			words='--sender --recipient --domain --mx --state --all
			    --account --json'
			[[ $verb != cancel ]] || words+=' --bounce'
			;;
		tls-rule.add) words='auto may must verify dane never mx: --json' ;;
		retry.set) words='retry= retry_max= expire= delay_notice= --json' ;;
		suppress.list) words="--json --all" ;;
		suppress.add) words='--json --for --note' ;;
		check.add)
			words="--json --password-stdin $(_mailstead_names system)"
			;;
		check.list) words="--json $(_mailstead_names system)" ;;
		check.change | check.show | check.run | check.remove | \
		    watch.status)
			words="--json $(_mailstead_names check)"
			;;
		system.add)
			words='mail relay web primary-ns secondary-ns phone
			    monitoring status other --city --country
			    --internal --public --parents --order --json'
			;;
		system.change)
			words="--role --city --country --internal --public
			    --parents --order --json $(_mailstead_names system)"
			;;
		system.show | system.remove | maintenance.list)
			words="--json $(_mailstead_names system)"
			;;
		maintenance.add)
			words="--from --for --every --note --json
			    $(_mailstead_names system)"
			;;
		maintenance.remove)
			words="--json $(_mailstead_names maintenance)"
			;;
		feedback.list) words='--json --domain --kind --since' ;;
		feedback.show) words='dmarc tls abuse --json --domain --since' ;;
		account.list) words="--json --held $(_mailstead_names domain)" ;;
		account.limit)
			words="--json --recipients --first-time
			    $(_mailstead_names domain) $(_mailstead_names user)"
			;;
		account.block | account.open)
			words="--json --cancel $(_mailstead_names user)"
			;;
		account.*) words="--json $(_mailstead_names user)" ;;
		domain.remove | dkim.list | dkim.rotate | dkim.activate | \
		    user.list | alias.list)
			words="--json $(_mailstead_names domain)"
			;;
		dkim.add)
			words="--json --algorithm --selector --key-stdin
			    $(_mailstead_names domain)"
			;;
		dkim.remove)
			words="--json --force $(_mailstead_names domain)"
			;;
		user.add)
			words='--json --password-stdin --hash-stdin --quota
			    --quota-messages'
			;;
		user.passwd)
			words="--json --password-stdin --hash-stdin
			    $(_mailstead_names user)"
			;;
		user.quota)
			words="--json --messages $(_mailstead_names user)"
			;;
		user.remove | alias.add)
			words="--json $(_mailstead_names user)"
			;;
		alias.remove)
			words="--json $(_mailstead_names alias)"
			;;
		mail.undelete)
			words="--json --since --mailbox
			    $(_mailstead_names user)"
			;;
		mail.import | mail.export)
			if ((COMP_CWORD == at + 2)); then
				words=$(_mailstead_names user)
			elif [[ $cur == -* ]]; then
				words='--json --format --mailbox'
			else
				COMPREPLY=($(compgen -f -- "$cur"))
				return
			fi
			;;
		config.check)
			COMPREPLY=($(compgen -f -- "$cur"))
			return
			;;
		*) words='--json' ;;
		esac
	fi
	COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o filenames -F _mailstead mailstead
