//! Where a URL leads: hosts, addresses and ports, of which libpq takes lists.

use super::parameters::Parameters;
use super::values::bad_value;
use super::{refused, Host, HostAndPort};
use crate::error::{Error, Kind, Result};
use crate::failure::{SessionFailure, SessionRemedy};
use std::net::IpAddr;
use std::path::PathBuf;

impl Parameters {
    pub(super) fn hosts_and_ports(&self) -> Result<Vec<HostAndPort>> {
        let hosts: Vec<&str> = self.hosts.iter().map(String::as_str).collect();
        let only_addresses = hosts.iter().all(|host| host.is_empty()) && hosts.len() <= 1;
        let count = if only_addresses {
            self.addresses.len().max(1)
        } else {
            hosts.len()
        };
        if !self.addresses.is_empty() && self.addresses.len() != count {
            return Err(refused(SessionFailure::AddressesUneven));
        }
        if self.ports.len() > 1 && self.ports.len() != count {
            return Err(refused(SessionFailure::PortsUneven));
        }
        let mut result = Vec::with_capacity(count);
        for index in 0..count {
            let name = hosts.get(index).copied().unwrap_or("");
            let address = match self.addresses.get(index).map(String::as_str) {
                None | Some("") => None,
                Some(text) => Some(text.parse::<IpAddr>().map_err(|_| bad_value("hostaddr"))?),
            };
            let port = self
                .ports
                .get(index)
                .or_else(|| self.ports.first().filter(|_| self.ports.len() == 1));
            result.push(HostAndPort {
                host: host(name, address)?,
                port: port_number(port.map_or("", |p| p))?,
            });
        }
        Ok(result)
    }
}

fn host(name: &str, address: Option<IpAddr>) -> Result<Host> {
    match (name, address) {
        (name, None) if name.starts_with('/') => Ok(Host::Socket(PathBuf::from(name))),
        (name, _) if name.starts_with('@') => Err(refused(SessionFailure::AbstractSocket)),
        ("", None) => Ok(Host::Default),
        ("", Some(address)) => Ok(Host::Tcp {
            name: address.to_string(),
            address: Some(address),
        }),
        (name, address) => Ok(Host::Tcp {
            name: name.to_owned(),
            address,
        }),
    }
}

fn port_number(text: &str) -> Result<u16> {
    match text {
        "" => Ok(5432),
        _ => text.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
            Error::new(
                Kind::Configuration,
                SessionFailure::PortNoNumber,
                SessionRemedy::EncodeUser,
            )
        }),
    }
}
