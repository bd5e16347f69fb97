/* SPDX-License-Identifier: ISC */
/*
 * notify.h - tell the service manager how far we are: sd_notify(3), the protocol
 * of NOTIFY_SOCKET.
 *
 * So "systemctl start" waits until mail is served, and tells when it is not.
 */
#pragma once

/*
 * Send lines such as "READY=1" to the socket that the environment names: a path,
 * or "@" and an abstract name. Without one nothing is done, and what the manager
 * does not read is lost: 0, or -errno for those who care.
 */
int notify_manager(const char *lines);
