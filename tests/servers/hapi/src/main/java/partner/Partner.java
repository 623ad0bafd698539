package partner;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.r5.JpaR5Config;
import ca.uhn.fhir.jpa.provider.IJpaSystemProvider;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.validation.JpaValidationSupportChain;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.interceptor.RequestValidatingInterceptor;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import ca.uhn.fhir.validation.IValidatorModule;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/**
 * One FHIR server on a free port of the loopback, in memory: HAPI FHIR's JPA server as a partner would run it.
 *
 * <p>Arguments: R4 or R5, and the folder of the adapter's definitions for that release. It prints one line when it answers: "Listening on http://127.0.0.1:port/fhir". It ends when its
 * standard input does, so that it never outlives who started it.
 */
public final class Partner {

    private static final Map<String, Class<?>> RELEASES = Map.of("R4", JpaR4Config.class, "R5", JpaR5Config.class);

    private Partner() {}

    public static void main(String[] arguments) throws Exception {
        AnnotationConfigApplicationContext beans = new AnnotationConfigApplicationContext();
        beans.setAllowCircularReferences(true);
        beans.register(RELEASES.get(arguments[0]), Storage.class);
        beans.refresh();
        beans.getBean(JpaValidationSupportChain.class)
                .addValidationSupport(0, Definitions.in(Path.of(arguments[1]), beans.getBean(FhirContext.class)));

        Server server = new Server();
        ServerConnector loopback = new ServerConnector(server);
        loopback.setHost("127.0.0.1");
        server.addConnector(loopback);
        ServletContextHandler root = new ServletContextHandler();
        root.setContextPath("/");
        root.addServlet(new ServletHolder(fhir(beans)), "/fhir/*");
        server.setHandler(root);
        server.start();
        System.out.println("Listening on http://127.0.0.1:" + loopback.getLocalPort() + "/fhir");
        System.out.flush();

        while (System.in.read() >= 0) {
            // Nothing is said here: only its end matters.
        }
        Runtime.getRuntime().halt(0); // What is in memory need not be put away.
    }

    private static RestfulServer fhir(AnnotationConfigApplicationContext beans) {
        RestfulServer fhir = new RestfulServer(beans.getBean(FhirContext.class));
        fhir.setDefaultResponseEncoding(EncodingEnum.JSON);
        fhir.registerProviders(beans.getBean(ResourceProviderFactory.class).createProviders());
        fhir.registerProvider(beans.getBean(IJpaSystemProvider.class));
        fhir.setPagingProvider(beans.getBean(DatabaseBackedPagingProvider.class));
        fhir.setServerConformanceProvider(new JpaCapabilityStatementProvider(
                fhir,
                beans.getBean(IFhirSystemDao.class),
                beans.getBean(JpaStorageSettings.class),
                beans.getBean(ISearchParamRegistry.class),
                beans.getBean(IValidationSupport.class)));
        fhir.registerInterceptor(validation(beans));
        return fhir;
    }

    /** Nothing is stored that the base definitions forbid: 422, with every problem. */
    private static RequestValidatingInterceptor validation(AnnotationConfigApplicationContext beans) {
        RequestValidatingInterceptor validation = new RequestValidatingInterceptor();
        validation.setFailOnSeverity(ResultSeverityEnum.ERROR);
        validation.setValidatorModules(List.of(beans.getBean(IValidatorModule.class)));
        return validation;
    }
}
