import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.policybuilder.iam.IamConditionOperator;
import software.amazon.awssdk.policybuilder.iam.IamEffect;
import software.amazon.awssdk.policybuilder.iam.IamPolicy;
import software.amazon.awssdk.policybuilder.iam.IamStatement;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.auth.StsAssumeRoleCredentialsProvider;
import software.amazon.awssdk.services.sts.model.AssumeRoleResponse;

/**
 * The AWS SDK for Java v2 against the facade: assumes a role with the policy that Polaris vends for a table, built
 * with the same policy builder, works in the table and is refused beside it.
 *
 * <p>Arguments: endpoint, access key, secret key, bucket. Ends with {@code N passed, N failed, N skipped}.
 */
public final class AssumeRole {
  private static final String TABLE = "ns/java table";
  private static final String ROLE = "arn:aws:iam::123456789012:role/polaris";
  private static int passed;
  private static int failed;

  public static void main(String[] arguments) {
    URI endpoint = URI.create(arguments[0]);
    AwsCredentialsProvider pair =
        StaticCredentialsProvider.create(AwsBasicCredentials.create(arguments[1], arguments[2]));
    String bucket = arguments[3];
    try (S3Client owner = s3(endpoint, pair); StsClient sts = sts(endpoint, pair)) {
      owner.putObject(put -> put.bucket(bucket).key("beside/x"), RequestBody.fromString("beside"));
      AssumeRoleResponse role = sts.assumeRole(ask ->
          ask.roleArn(ROLE).roleSessionName("polaris-java").policy(policy(bucket)).durationSeconds(900).externalId("polaris"));
      check("the answer is complete", role.assumedRoleUser().arn().endsWith("assumed-role/polaris/polaris-java")
          && role.packedPolicySize() > 0 && role.credentials().expiration() != null);
      AwsSessionCredentials session = AwsSessionCredentials.create(role.credentials().accessKeyId(),
          role.credentials().secretAccessKey(), role.credentials().sessionToken());
      try (S3Client table = s3(endpoint, StaticCredentialsProvider.create(session))) {
        inside(table, bucket);
        outside(table, bucket);
      }
      refusals(sts, sts(endpoint, StaticCredentialsProvider.create(session)));
      refreshing(sts, endpoint, bucket);
    }
    System.out.println(passed + " passed, " + failed + " failed, 0 skipped");
    System.exit(failed == 0 ? 0 : 1);
  }

  private static void inside(S3Client table, String bucket) {
    String key = TABLE + "/data/a.parquet";
    table.putObject(put -> put.bucket(bucket).key(key), RequestBody.fromString("content"));
    ResponseBytes<GetObjectResponse> read = table.getObjectAsBytes(get -> get.bucket(bucket).key(key));
    check("what was written is read", read.asUtf8String().equals("content"));
    List<String> keys = table.listObjectsV2(list -> list.bucket(bucket).prefix(TABLE + "/")).contents().stream()
        .map(S3Object::key).toList();
    check("the table is listed", keys.equals(List.of(key)));
    check("the location is told", table.getBucketLocation(get -> get.bucket(bucket)) != null);
    String large = TABLE + "/data/large";
    String upload = table.createMultipartUpload(create -> create.bucket(bucket).key(large)).uploadId();
    List<CompletedPart> parts = new ArrayList<>();
    for (int number = 1; number <= 2; number++) {
      int part = number;
      byte[] bytes = new byte[5 << 20];
      String etag = table.uploadPart(one -> one.bucket(bucket).key(large).uploadId(upload).partNumber(part),
          RequestBody.fromBytes(bytes)).eTag();
      parts.add(CompletedPart.builder().partNumber(part).eTag(etag).build());
    }
    table.completeMultipartUpload(done -> done.bucket(bucket).key(large).uploadId(upload)
        .multipartUpload(list -> list.parts(parts)));
    check("an upload in parts is complete",
        table.headObject(head -> head.bucket(bucket).key(large)).contentLength() == 10 << 20);
    var deleted = table.deleteObjects(delete -> delete.bucket(bucket).delete(of -> of.objects(
        ObjectIdentifier.builder().key(large).build(), ObjectIdentifier.builder().key("beside/x").build())));
    check("of two deletes the one inside is done", deleted.deleted().size() == 1 && deleted.errors().size() == 1
        && deleted.errors().get(0).code().equals("AccessDenied"));
  }

  private static void outside(S3Client table, String bucket) {
    denied("read beside the table", () -> table.getObjectAsBytes(get -> get.bucket(bucket).key("beside/x")));
    denied("head beside the table", () -> table.headObject(head -> head.bucket(bucket).key("beside/x")));
    denied("write beside the table",
        () -> table.putObject(put -> put.bucket(bucket).key(TABLE + "2/x"), RequestBody.fromString("x")));
    denied("delete beside the table", () -> table.deleteObject(delete -> delete.bucket(bucket).key("beside/x")));
    denied("list the bucket", () -> table.listObjectsV2(list -> list.bucket(bucket)));
    denied("list beside the table", () -> table.listObjectsV2(list -> list.bucket(bucket).prefix("beside/")));
    denied("copy from beside the table", () -> table.copyObject(copy -> copy.sourceBucket(bucket)
        .sourceKey("beside/x").destinationBucket(bucket).destinationKey(TABLE + "/stolen")));
    denied("list the buckets", table::listBuckets);
  }

  private static void refusals(StsClient sts, StsClient ofSession) {
    try (ofSession) {
      refused("a session of a session", "AccessDenied", 403,
          () -> ofSession.assumeRole(ask -> ask.roleArn(ROLE).roleSessionName("again")));
      check("a session knows its name",
          ofSession.getCallerIdentity().arn().equals("arn:aws:sts::123456789012:assumed-role/polaris/polaris-java"));
    }
    refused("too long", "ValidationError", 400,
        () -> sts.assumeRole(ask -> ask.roleArn(ROLE).roleSessionName("long").durationSeconds(43201)));
    refused("no policy", "MalformedPolicyDocument", 400,
        () -> sts.assumeRole(ask -> ask.roleArn(ROLE).roleSessionName("policy").policy("{}")));
  }

  /** As a long-running program does it: the SDK asks for credentials itself, and again before they expire. */
  private static void refreshing(StsClient sts, URI endpoint, String bucket) {
    try (StsAssumeRoleCredentialsProvider provider = StsAssumeRoleCredentialsProvider.builder().stsClient(sts)
        .refreshRequest(ask -> ask.roleArn(ROLE).roleSessionName("refreshing").policy(policy(bucket))).build();
        S3Client table = s3(endpoint, provider)) {
      table.putObject(put -> put.bucket(bucket).key(TABLE + "/refreshed"), RequestBody.fromString("x"));
      check("a provider that refreshes", true);
    }
  }

  /** As Polaris' AwsCredentialsStorageIntegration: one location to be read, written and listed. */
  private static String policy(String bucket) {
    String objects = "arn:aws:s3:::" + bucket + "/" + TABLE + "/*";
    return IamPolicy.builder()
        .addStatement(IamStatement.builder().effect(IamEffect.ALLOW).addAction("s3:PutObject")
            .addAction("s3:DeleteObject").addResource(objects).build())
        .addStatement(IamStatement.builder().effect(IamEffect.ALLOW).addAction("s3:ListBucket")
            .addResource("arn:aws:s3:::" + bucket)
            .addCondition(IamConditionOperator.STRING_LIKE, "s3:prefix", TABLE + "/*").build())
        .addStatement(IamStatement.builder().effect(IamEffect.ALLOW).addAction("s3:GetBucketLocation")
            .addResource("arn:aws:s3:::" + bucket).build())
        .addStatement(IamStatement.builder().effect(IamEffect.ALLOW).addAction("s3:GetObject")
            .addAction("s3:GetObjectVersion").addResource(objects).build())
        // Polaris adds it where there is nothing to be listed.
        .addStatement(IamStatement.builder().effect(IamEffect.ALLOW).addAction("s3:ListBucket").build())
        .build().toJson();
  }

  private static S3Client s3(URI endpoint, AwsCredentialsProvider credentials) {
    return S3Client.builder().endpointOverride(endpoint).region(Region.US_EAST_1).forcePathStyle(true)
        .credentialsProvider(credentials).build();
  }

  private static StsClient sts(URI endpoint, AwsCredentialsProvider credentials) {
    return StsClient.builder().endpointOverride(endpoint).region(Region.EU_CENTRAL_1)
        .credentialsProvider(credentials).build();
  }

  private static void denied(String what, Callable<?> call) {
    refused(what, "AccessDenied", 403, call);
  }

  private static void refused(String what, String code, int status, Callable<?> call) {
    try {
      call.call();
      check(what + " is not refused", false);
    } catch (software.amazon.awssdk.awscore.exception.AwsServiceException error) {
      // The answer to a HEAD has no document, so the SDK knows only its status.
      String told = error.awsErrorDetails() == null ? null : error.awsErrorDetails().errorCode();
      boolean right = error.statusCode() == status && (code.equals(told) || what.startsWith("head"));
      check(what + ": " + error.statusCode() + " " + told, right);
    } catch (SdkServiceException error) {
      check(what + ": " + error.getMessage(), false);
    } catch (Exception error) {
      check(what + ": " + error, false);
    }
  }

  private static void check(String what, boolean right) {
    System.out.println((right ? "ok   " : "FAIL ") + what);
    if (right) {
      passed++;
    } else {
      failed++;
    }
  }
}
