package org.apache.polaris.core.admin.model;

/** Stands for a generated class that polaris-core names and no registry has. */
public class AuthenticationParameters {
  public enum AuthenticationTypeEnum {
    OAUTH,
    BEARER,
    SIGV4,
    IMPLICIT
  }
}
